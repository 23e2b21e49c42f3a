import { catalogue } from '../errors/catalogue.ts';
import type { CatalogueCode, StageName } from '../exchange/decision.ts';

/** How much an event asks for somebody's attention. */
export type Severity = 'low' | 'medium' | 'high';

/** The categories are those of the Elastic Common Schema. */
export type Category =
  | 'authentication'
  | 'configuration'
  | 'iam'
  | 'intrusion_detection'
  | 'network'
  | 'process'
  | 'threat'
  | 'web';

/** What an event says besides who and what: the same for every event of its code. */
export interface EventClass {
  readonly category: Category;
  readonly severity: Severity;
}

const CATEGORIES: Partial<Record<StageName, Category>> = {
  listen: 'network',
  route: 'web',
  limit: 'intrusion_detection',
  authenticate: 'authentication',
  authorize: 'iam',
  validate: 'intrusion_detection',
  waf: 'threat',
};

/** Codes of those rooms that say nothing about an attack: what is not there, who left, what we do ourselves. */
const SILENT: ReadonlySet<string> = new Set<CatalogueCode>([
  'route-not-found',
  'method-not-allowed',
  'client-gone',
  'tunnel-idle',
  'shutting-down',
]);

/** Nobody does these by accident, or they mean that a check cannot be made at all. */
const HIGH: ReadonlySet<string> = new Set<CatalogueCode>([
  'body-framing',
  'transfer-coding',
  'token-algorithm',
  'token-signature',
  'token-header',
  'token-bound',
  'certificate-revoked',
  'api-key-revoked',
  'csrf',
  'keys-unavailable',
  'introspection-unavailable',
  'limit-store-failed',
  'certificate-crl-missing',
  'certificate-crl-stale',
  'internal',
]);

/** What good clients do every day: they come without a credential, with one that is over, too slowly. */
const LOW: ReadonlySet<string> = new Set<CatalogueCode>([
  'token-missing',
  'key-missing',
  'credentials-missing',
  'certificate-missing',
  'token-expired',
  'api-key-expired',
  'certificate-expired',
  'token-inactive',
  'head-timeout',
  'body-timeout',
  'request-timeout',
  'connection-cap',
  'handshake-failed',
  'misdirected',
  'media-type',
  'content-encoding',
  'body-too-large',
  'expectation-failed',
  'upgrade-refused',
  'concurrency-exceeded',
  'introspection-busy',
]);

/** The room decides, and then the code: what a later room brings along has its class by its room. */
const CLASSES: ReadonlyMap<string, EventClass> = new Map(
  Object.entries(catalogue).flatMap(([code, { room }]): [string, EventClass][] => {
    const category = code === 'internal' ? 'process' : CATEGORIES[room];
    return category === undefined || SILENT.has(code) ? [] : [[code, { category, severity: severityOf(code, room) }]];
  }),
);

function severityOf(code: string, room: StageName): Severity {
  if (HIGH.has(code)) return 'high';
  if (LOW.has(code)) return 'low';
  return room === 'waf' ? 'high' : 'medium';
}

/** The class of a refusal; undefined: it is no event. */
export function classOfRefusal(code: string): EventClass | undefined {
  return CLASSES.get(code);
}

interface HouseClass extends EventClass {
  readonly outcome: 'success' | 'failure';
  readonly help: string;
}

/**
 * What happens to the gateway itself. Whoever logs such a thing adds `event: NAME` to the fields of its line: that makes it an event too.
 * Names are stable, like codes.
 */
// biome-ignore format: a table, one name to a line
export const houseEvents = {
  'configuration-reloaded': { category: 'configuration', severity: 'low', outcome: 'success', help: 'Another configuration serves.' },
  'configuration-refused': { category: 'configuration', severity: 'medium', outcome: 'failure', help: 'A changed configuration could not be taken over; the old one serves on.' },
  'certificate-replaced': { category: 'configuration', severity: 'low', outcome: 'success', help: 'A renewed certificate of a listener is in use.' },
  'certificate-warning': { category: 'configuration', severity: 'medium', outcome: 'failure', help: 'A certificate ends within 14 days, has ended, is not valid yet, or is never used; told once a day.' },
  'certificate-kept': { category: 'configuration', severity: 'medium', outcome: 'failure', help: 'A changed certificate, key or list of authorities cannot be used; the old one stays.' },
  'authorities-replaced': { category: 'configuration', severity: 'low', outcome: 'success', help: 'Changed authorities or revocation lists for client certificates are in use.' },
  'keys-unreadable': { category: 'authentication', severity: 'high', outcome: 'failure', help: 'The keys of an issuer cannot be read: the known ones are kept, or its tokens get 503.' },
  'keys-read': { category: 'authentication', severity: 'low', outcome: 'success', help: 'The keys of an issuer are read again.' },
  'keys-rotated': { category: 'authentication', severity: 'low', outcome: 'success', help: 'An issuer has other keys than before.' },
  'introspection-lost': { category: 'authentication', severity: 'high', outcome: 'failure', help: 'The authorization server gives no answers; opaque tokens get 503.' },
  'introspection-back': { category: 'authentication', severity: 'low', outcome: 'success', help: 'The authorization server answers again.' },
  'api-keys-replaced': { category: 'configuration', severity: 'low', outcome: 'success', help: 'A changed file of API keys is in use.' },
  'api-keys-kept': { category: 'configuration', severity: 'medium', outcome: 'failure', help: 'A changed file of API keys cannot be used; the old keys stay.' },
  'store-lost': { category: 'intrusion_detection', severity: 'high', outcome: 'failure', help: 'The store of limits is away, or fails: each limit does what its `when-store-fails` says.' },
  'store-back': { category: 'intrusion_detection', severity: 'low', outcome: 'success', help: 'The store of limits is back.' },
  'admin-token-wrong': { category: 'authentication', severity: 'high', outcome: 'failure', help: 'Somebody brought a wrong token to the admin listener.' },
  'worker-died': { category: 'process', severity: 'high', outcome: 'failure', help: 'A worker process died and is replaced.' },
  'defect': { category: 'process', severity: 'high', outcome: 'failure', help: 'An exception that nobody caught.' },
} as const satisfies Record<string, HouseClass>;

export type HouseEvent = keyof typeof houseEvents;

/** True for a name of the table above. */
export function isHouseEvent(name: unknown): name is HouseEvent {
  return typeof name === 'string' && Object.hasOwn(houseEvents, name);
}
