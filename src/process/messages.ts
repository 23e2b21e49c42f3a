import type { AddressInfo } from 'node:net';
import type { Hidden } from '../config/redact.ts';
import type { GatewayOptions } from '../config/schema.ts';
import type { SharedSecrets } from '../config/swap.ts';
import type { MetricsSnapshot } from '../observe/stage.ts';
import type { ProcessStatus } from '../observe/status.ts';
import type { LimitsAsked, LimitsDecided } from '../stores/shared-memory-messages.ts';

interface Configured {
  readonly number: number;
  readonly options: GatewayOptions;
  /** Secrets in the options that the log must not show. */
  readonly hidden: readonly Hidden[];
}

/** What the primary says to a worker. Each is answered with a `Reply` of the same number. */
export type Order =
  | (Configured & { readonly kind: 'start'; readonly shared: SharedSecrets })
  | (Configured & { readonly kind: 'reload' })
  | { readonly number: number; readonly kind: 'drain' | 'reopen-logs' | 'metrics' | 'status' };

/** What a worker answers. */
export interface Reply {
  readonly number: number;
  /** Why the order could not be followed. */
  readonly error?: string;
  readonly addresses?: Record<string, AddressInfo>;
  readonly metrics?: MetricsSnapshot;
  readonly status?: ProcessStatus;
}

/** All that a worker may hear: orders, and what it asked about limits. */
export type ToWorker = Order | LimitsDecided;
/** All that the primary may hear. */
export type ToPrimary = Reply | LimitsAsked;
