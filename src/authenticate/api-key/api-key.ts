import { type Refusal, refuse } from '../../exchange/decision.ts';
import type { Caller, Exchange } from '../../exchange/exchange.ts';
import type { MakeMethod, Method, MethodWorld, Place } from '../method.ts';
import { holdsKey } from './format.ts';
import { hashKeyFile } from './hash-key.ts';
import { KeyStore } from './key-store.ts';
import type { ApiKeyOptions } from './options.ts';

/** The method `api-key`: keys that `portcullis keys` made, in a header of their own. */
export const makeApiKey: MakeMethod<ApiKeyOptions> = async (name, options, world) => {
  const parts = {
    keys: options.keys,
    hashKey: hashKeyFile(options.keys, options['hash-key']),
    as: { name, header: options.header },
    log: world.log,
  };
  const store = new KeyStore(parts);
  await store.ready();
  return new ApiKey(name, options.header, store, world.clock);
};

class ApiKey implements Method {
  readonly name: string;
  readonly place: Place;
  readonly challenge: string;
  readonly #store: KeyStore;
  readonly #clock: MethodWorld['clock'];

  constructor(name: string, header: string, store: KeyStore, clock: MethodWorld['clock']) {
    this.name = name;
    this.place = { kind: 'header', name: header };
    this.challenge = `ApiKey header="${header}"`;
    this.#store = store;
    this.#clock = clock;
  }

  holds(text: string): boolean {
    return holdsKey(text);
  }

  /** Expiry is looked at each time: nobody has to read the file again for it. */
  verify(_x: Exchange, credential: string): Caller | Refusal {
    const found = this.#store.ring.find(credential);
    if (found === 'malformed') return MALFORMED;
    if (found === undefined) return UNKNOWN;
    if (found.revoked) return REVOKED;
    return found.ends <= this.#clock.now() ? EXPIRED : found.caller;
  }

  close(): void {
    this.#store.close();
  }
}

const MALFORMED = refuse('api-key-malformed', 'the header holds no API key of ours: its form, length or checksum is wrong');
const UNKNOWN = refuse('api-key-unknown', 'the API key is not in the file of keys');
const REVOKED = refuse('api-key-revoked', 'the API key was revoked');
const EXPIRED = refuse('api-key-expired', 'the API key has expired');
