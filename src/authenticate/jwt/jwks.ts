import { hashOptions } from '../../config/hash.ts';
import { type FileWatch, watchFiles } from '../../stores/watch-files.ts';
import type { MethodWorld } from '../method.ts';
import { Deadline } from '../outside.ts';
import { KeyIndex } from './key-index.ts';
import { type KeyPlace, type PlaceOptions, placeOf } from './key-place.ts';
import type { KeyAnswer, KeySource, KeySourceSnapshot } from './key-source.ts';
import { keySources } from './key-sources.ts';
import type { KeysOptions } from './keys-options.ts';
import { type ReadKey, readJwks } from './read-jwks.ts';

/** What the keys of an issuer depend on, and nothing else: two methods that agree in this have the same. */
export interface KeySourceOptions extends PlaceOptions {
  readonly keys: KeysOptions;
}

/**
 * The keys of an issuer; the same for all who ask with the same options, and over reloads. To be asked for again whenever a configuration
 * is prepared: that is what holds them. Rejects only when a file that the configuration names cannot be read.
 */
export async function openKeySource({ issuer, jwks, keys }: KeySourceOptions, world: MethodWorld): Promise<KeySource> {
  const { carry, egress, clock, log } = world;
  const name = `keys ${hashOptions([jwks === undefined ? issuer : undefined, jwks, keys])} ${egress.key}`;
  const parts = { place: placeOf({ issuer, jwks }, egress, clock), issuer, options: keys, clock, log };
  const sources = keySources(carry);
  const source = carry.take(
    name,
    () => new IssuerKeys(parts),
    (gone) => {
      sources.remove(gone);
      gone.end();
    },
  );
  sources.add(issuer, source);
  if (parts.place.file === undefined) return source;
  await source.ready();
  const { failure, read } = source.snapshot();
  if (read === undefined) throw new Error(`the keys of ${issuer} cannot be read from ${parts.place.file}: ${failure}`);
  return source;
}

interface Parts extends Pick<MethodWorld, 'clock' | 'log'> {
  readonly place: KeyPlace;
  readonly issuer: string;
  readonly options: KeysOptions;
}

/** Without a word of the issuer's. */
const DEFAULT_AGE_MS = 600_000;
/** The first pause after a failure; each further one is twice as long. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
/** While nothing is known every token gets 503, so it is tried more often. */
const LONGEST_PAUSE_BLIND_MS = 10_000;

/**
 * The keys of one issuer, kept up to date off the path of requests. All that is due is due by the clock; timers only look at it, and
 * requests do too, so that a process that slept does not go on with what it knew.
 */
class IssuerKeys implements KeySource {
  readonly #parts: Parts;
  readonly #first: Promise<void>;
  readonly #watch: FileWatch | undefined;
  #keys: readonly ReadKey[] = [];
  #index = new KeyIndex([]);
  /** When the keys were read last, and when they are to be read again. */
  #read: number | undefined;
  #due = 0;
  #failures = 0;
  #failure: string | undefined;
  #toldBlind = false;
  #warned = '';
  /** When an unknown `kid` last had the keys read. */
  #forced = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#first = this.#start();
    const { file } = parts.place;
    if (file !== undefined) this.#watch = watchFiles([file], () => this.#fileChanged());
  }

  ready(): Promise<void> {
    return this.#first;
  }

  /** One of those who use them has no need any more; they end when the last configuration that holds them is gone. */
  close(): void {}

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#watch?.close();
  }

  snapshot(): KeySourceSnapshot {
    const { place, options } = this.#parts;
    const remote = place.file === undefined && this.#read !== undefined;
    return {
      from: place.from,
      keys: this.#keys.length,
      read: this.#read,
      expires: remote ? (this.#read as number) + options.stale : undefined,
      failure: this.#failure,
    };
  }

  find(kid: string | undefined, algorithm: string): KeyAnswer | Promise<KeyAnswer> {
    const now = this.#parts.clock.now();
    if (now >= this.#due && this.#running === undefined) void this.#start();
    if (this.#isBlind(now)) return this.#running === undefined ? 'unavailable' : this.#later(kid, algorithm);
    return this.#index.find(kid, algorithm) ?? this.#unknown(kid, algorithm, now);
  }

  renew(algorithm: string): KeyAnswer | Promise<KeyAnswer> {
    return this.#unknown(undefined, algorithm, this.#parts.clock.now());
  }

  /** The issuer may have new keys. However many tokens say so, it is asked once per cool-down; who asks meanwhile waits for that. */
  #unknown(kid: string | undefined, algorithm: string, now: number): 'unknown' | Promise<KeyAnswer> {
    if (this.#running !== undefined) {
      // What is being read may have been written before this token was: once it is there, one more look may be due.
      return this.#running.then(() => this.#known(kid, algorithm) ?? this.#unknown(kid, algorithm, this.#parts.clock.now()));
    }
    // A clock that was set back must not make the pause longer.
    if (Math.abs(now - this.#forced) < this.#parts.options['cool-down']) return 'unknown';
    this.#forced = now;
    void this.#start();
    return this.#later(kid, algorithm);
  }

  async #later(kid: string | undefined, algorithm: string): Promise<KeyAnswer> {
    await this.#running;
    return this.#known(kid, algorithm) ?? 'unknown';
  }

  #known(kid: string | undefined, algorithm: string): KeyAnswer | undefined {
    return this.#isBlind(this.#parts.clock.now()) ? 'unavailable' : this.#index.find(kid, algorithm);
  }

  /** Nothing is known: the keys were never read, or so long ago that the issuer may have taken all of them back. */
  #isBlind(now: number): boolean {
    if (this.#read === undefined) return true;
    return this.#parts.place.file === undefined && now - this.#read >= this.#parts.options.stale;
  }

  /** What is being read may be half of what is written now. */
  #fileChanged(): void {
    if (this.#running === undefined) void this.#start();
    else this.#again = true;
  }

  /** Reads the keys, once at a time. Never rejects. */
  #start(): Promise<void> {
    clearTimeout(this.#timer);
    this.#running = this.#attempt().then((pause) => {
      this.#running = undefined;
      this.#schedule(pause);
    });
    return this.#running;
  }

  #schedule(pause: number): void {
    this.#due = this.#parts.clock.now() + pause;
    if (this.#ended) return;
    if (this.#again) {
      this.#again = false;
      void this.#start();
    } else if (Number.isFinite(pause)) {
      this.#timer = setTimeout(() => void this.#start(), pause).unref();
    }
  }

  /** Gives back how long to wait until the next. */
  async #attempt(): Promise<number> {
    const { place, options } = this.#parts;
    try {
      const { bytes, maxAge } = await place.read(new Deadline(options.timeout));
      if (!this.#ended) this.#take(bytes);
      return place.file === undefined ? refreshAfter(maxAge, options) : Number.POSITIVE_INFINITY;
    } catch (error) {
      if (!this.#ended) this.#failed(error instanceof Error ? error.message : String(error));
      return this.#pause();
    }
  }

  #take(bytes: Buffer): void {
    const { keys, warnings } = readJwks(bytes, this.#keys);
    const { log, clock } = this.#parts;
    if (this.#failure !== undefined)
      log.info('the keys of an issuer are read again', this.#facts({ event: 'keys-read', keys: keys.length }));
    if (this.#read !== undefined) this.#tellChange(keys);
    const warned = warnings.join('; ');
    if (warned !== '' && warned !== this.#warned) log.warn('keys of an issuer are left out', this.#facts({ reasons: warnings }));
    if (keys.length === 0 && (this.#keys.length > 0 || this.#read === undefined))
      log.warn('an issuer has no key that can be used: none of its tokens is good', this.#facts());
    this.#warned = warned;
    this.#keys = keys;
    this.#index = new KeyIndex(keys);
    this.#read = clock.now();
    this.#failures = 0;
    this.#failure = undefined;
    this.#toldBlind = false;
  }

  #tellChange(keys: readonly ReadKey[]): void {
    const added = keys.filter((key) => !this.#keys.includes(key)).length;
    const gone = this.#keys.filter((key) => !keys.includes(key)).length;
    if (added + gone > 0)
      this.#parts.log.info('the keys of an issuer have changed', this.#facts({ event: 'keys-rotated', added, gone }));
  }

  /** Told once for each change of state: an outage of an hour is no thousand lines. */
  #failed(reason: string): void {
    const { log, clock } = this.#parts;
    const first = this.#failure === undefined;
    this.#failures++;
    this.#failure = reason;
    const blind = this.#isBlind(clock.now());
    if (first) {
      const kept = blind ? 'its tokens get 503' : 'the known ones are kept';
      log.warn(`the keys of an issuer cannot be read, ${kept}`, this.#facts({ event: 'keys-unreadable', reason }));
    }
    if (blind && !first && !this.#toldBlind)
      log.error('the keys of an issuer are too old, its tokens get 503', this.#facts({ event: 'keys-unreadable', reason }));
    this.#toldBlind = blind;
  }

  #facts(more: Record<string, unknown> = {}): Record<string, unknown> {
    return { issuer: this.#parts.issuer, from: this.#parts.place.from, ...more };
  }

  /** Instances that lost their issuer together must not come back together. */
  #pause(): number {
    const longest = this.#isBlind(this.#parts.clock.now()) ? LONGEST_PAUSE_BLIND_MS : LONGEST_PAUSE_MS;
    return Math.min(longest, FIRST_PAUSE_MS * 2 ** Math.min(20, this.#failures - 1)) * (0.5 + Math.random() / 2);
  }
}

/** Ahead of the end of what was promised, and not all instances at the same moment. */
function refreshAfter(maxAge: number | undefined, options: KeysOptions): number {
  const age = Math.min(options['refresh-max'], Math.max(options['refresh-min'], maxAge ?? DEFAULT_AGE_MS));
  return age * (0.8 + Math.random() / 10);
}
