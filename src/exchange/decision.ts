import { type CatalogueCode, catalogue } from '../errors/catalogue.ts';

export type { CatalogueCode };
import type { HeaderList } from './headers.ts';

/** The rooms of the corridor. The same word names the folder, the log field, the metric label and the manual page. */
export type StageName =
  | 'listen'
  | 'route'
  | 'limit'
  | 'authenticate'
  | 'authorize'
  | 'validate'
  | 'waf'
  | 'translate'
  | 'compose'
  | 'upstream'
  | 'observe';

/**
 * A room's decision to end the request: a normal result, never thrown. `reason` goes into the record only, so it may
 * name what the client must not learn; it must not hold secrets or values the client sent.
 */
export interface Refusal {
  readonly kind: 'refusal';
  readonly room: StageName;
  readonly code: CatalogueCode;
  readonly status: number;
  readonly reason: string;
  /** Extra response fields, such as `allow` or `retry-after`. */
  readonly headers?: HeaderList;
  /** Members added to the problem body, such as `errors`. */
  readonly members?: Record<string, unknown>;
}

/** A complete answer given by a room itself: a preflight, a redirect, a cache hit, a composition. */
export interface Answer {
  readonly kind: 'answer';
  readonly status: number;
  readonly headers: HeaderList;
  readonly body?: Buffer | string;
}

/** What a hook gives back: nothing (go on), an end, or a promise of either. A throw is a fault of ours. */
export type Step = Outcome | Promise<Outcome>;
export type Outcome = undefined | Refusal | Answer;

/** Makes a refusal from the catalogue, which knows the room and the status of every code. */
export function refuse(
  code: CatalogueCode,
  reason: string,
  extra?: { headers?: HeaderList; members?: Record<string, unknown>; status?: number; room?: StageName },
): Refusal {
  const entry = catalogue[code];
  return {
    kind: 'refusal',
    room: extra?.room ?? entry.room,
    code,
    status: extra?.status ?? entry.status,
    reason,
    headers: extra?.headers,
    members: extra?.members,
  };
}
