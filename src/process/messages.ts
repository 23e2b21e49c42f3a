import type { AddressInfo } from 'node:net';
import type { GatewayOptions } from '../config/schema.ts';
import type { SharedSecrets } from '../config/swap.ts';
import type { MetricsSnapshot } from '../observe/stage.ts';
import type { LimitsAsked, LimitsDecided } from '../stores/shared-memory-messages.ts';

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

/** All that a worker may hear: orders, and what it asked about limits. */
export type ToWorker = Order | LimitsDecided;
/** All that the primary may hear. */
export type ToPrimary = Reply | LimitsAsked;
