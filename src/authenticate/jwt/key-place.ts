import type { Egress, EgressAnswer } from '../../egress/egress.ts';
import type { Clock } from '../../pipeline/stage.ts';
import { type Deadline, discover, get } from '../outside.ts';
import { isUrl } from './is-url.ts';
import { readKeySetFile } from './key-set-file.ts';

/** Where the keys of an issuer are read. */
export interface KeyPlace {
  readonly from: string;
  /** The file that is watched; undefined: it is elsewhere, and has to be asked. */
  readonly file?: string;
  /** Rejects with a reason that holds no secret. */
  read(deadline: Deadline): Promise<KeyText>;
}

export interface KeyText {
  readonly bytes: Buffer;
  /** Milliseconds for which the issuer says that this holds; undefined: it says nothing. */
  readonly maxAge: number | undefined;
}

export interface PlaceOptions {
  readonly issuer: string;
  /** URL or file; undefined: the issuer is asked. */
  readonly jwks?: string;
}

export function placeOf({ issuer, jwks }: PlaceOptions, egress: Egress, clock: Clock): KeyPlace {
  if (jwks === undefined) return new IssuerPlace(issuer, egress, clock);
  return isUrl(jwks) ? new UrlPlace(new URL(jwks), egress) : new FilePlace(jwks);
}

class FilePlace implements KeyPlace {
  readonly from: string;
  readonly file: string;

  constructor(file: string) {
    this.from = file;
    this.file = file;
  }

  async read(): Promise<KeyText> {
    return { bytes: readKeySetFile(this.file), maxAge: undefined };
  }
}

class UrlPlace implements KeyPlace {
  readonly from: string;
  readonly #url: URL;
  readonly #egress: Egress;

  constructor(url: URL, egress: Egress) {
    this.from = url.origin + url.pathname;
    this.#url = url;
    this.#egress = egress;
  }

  async read(deadline: Deadline): Promise<KeyText> {
    return textOf(await get(this.#egress, this.#url, [this.#url.host], deadline));
  }
}

/** An issuer moves its keys hardly ever, and what it says of them is small. */
const REDISCOVER_MS = 3_600_000;

class IssuerPlace implements KeyPlace {
  readonly from: string;
  readonly #issuer: string;
  readonly #egress: Egress;
  readonly #clock: Clock;
  #found: { readonly url: URL; readonly at: number } | undefined;

  constructor(issuer: string, egress: Egress, clock: Clock) {
    this.from = issuer;
    this.#issuer = issuer;
    this.#egress = egress;
    this.#clock = clock;
  }

  async read(deadline: Deadline): Promise<KeyText> {
    const url = await this.#find(deadline);
    try {
      // Only the issuer's own host stands in the configuration: what it names is no permission.
      return textOf(await get(this.#egress, url, [new URL(this.#issuer).host], deadline));
    } catch (error) {
      this.#found = undefined;
      throw error;
    }
  }

  async #find(deadline: Deadline): Promise<URL> {
    const now = this.#clock.now();
    if (this.#found === undefined || Math.abs(now - this.#found.at) > REDISCOVER_MS) {
      this.#found = { url: await discover(this.#egress, this.#issuer, 'jwks_uri', deadline), at: now };
    }
    return this.#found.url;
  }
}

function textOf({ body, headers }: EgressAnswer): KeyText {
  return { bytes: body, maxAge: maxAgeOf(headers['cache-control'], headers.age) };
}

const MAX_AGE = /(?:^|[,\s])max-age="?(\d{1,9})"?(?:$|[,\s])/i;
const NOT_KEPT = /(?:^|[,\s])no-(?:store|cache)(?:$|[,\s=])/i;

/** RFC 9111 section 4.2, as far as it concerns one who keeps a single answer. */
export function maxAgeOf(cacheControl: string | undefined, age: string | undefined): number | undefined {
  if (cacheControl === undefined) return undefined;
  if (NOT_KEPT.test(cacheControl)) return 0;
  const match = MAX_AGE.exec(cacheControl);
  if (match === null) return undefined;
  const spent = age !== undefined && /^\d{1,9}$/.test(age) ? Number(age) : 0;
  return Math.max(0, Number(match[1]) - spent) * 1000;
}
