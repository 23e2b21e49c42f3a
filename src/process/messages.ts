import type { AddressInfo } from 'node:net';
import type { GatewayOptions } from '../config/schema.ts';
import type { SharedSecrets } from '../config/swap.ts';
import type { MetricsSnapshot } from '../observe/stage.ts';

/** What the primary says to a worker. Each is answered with a `Reply` of the same number. */
export type Order =
  | { readonly number: number; readonly kind: 'start'; readonly options: GatewayOptions; readonly shared: SharedSecrets }
  | { readonly number: number; readonly kind: 'reload'; readonly options: GatewayOptions }
  | { readonly number: number; readonly kind: 'drain' | 'reopen-logs' | 'metrics' };

/** What a worker answers. */
export interface Reply {
  readonly number: number;
  /** Why the order could not be followed. */
  readonly error?: string;
  readonly addresses?: Record<string, AddressInfo>;
  readonly metrics?: MetricsSnapshot;
}
