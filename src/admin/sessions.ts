import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const LIFE_MS = 12 * 60 * 60 * 1000;
/** One for every operator and browser, many times over. */
const MAX_SESSIONS = 64;
const COOKIES_LOOKED_AT = 4;

/**
 * Sessions of browsers that brought the token once. In memory only, and gone with the listener's options: a token that is replaced ends
 * all sessions that the old one opened.
 */
export class Sessions {
  /** By the digest of the id, oldest first: who reads this memory has no id yet. */
  readonly #open: { readonly digest: Buffer; readonly until: number }[] = [];
  readonly #clock: () => number;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#open.length;
  }

  /** Opens a session and gives its id. The oldest of too many ends. */
  open(): string {
    const id = randomBytes(32).toString('base64url');
    this.#expire();
    if (this.#open.length >= MAX_SESSIONS) this.#open.shift();
    this.#open.push({ digest: digest(id), until: this.#clock() + LIFE_MS });
    return id;
  }

  has(id: string): boolean {
    return this.#find(id) >= 0;
  }

  close(id: string): void {
    const found = this.#find(id);
    if (found >= 0) this.#open.splice(found, 1);
  }

  /** Looks at all of them, so that the time it takes tells nothing. */
  #find(id: string): number {
    this.#expire();
    const wanted = digest(id);
    let found = -1;
    for (const [i, one] of this.#open.entries()) if (timingSafeEqual(one.digest, wanted)) found = i;
    return found;
  }

  #expire(): void {
    const now = this.#clock();
    while (this.#open.length > 0 && this.#open[0].until <= now) this.#open.shift();
  }
}

/** Digests have one length, so that comparing them tells nothing of the length of what they stand for. */
export function digest(value: string): Buffer {
  return createHash('sha256').update(value).digest();
}

/**
 * The cookie that carries a session. Cookies know no ports, so the name has the listener's: two gateways on one host do not log
 * each other's operators out. `__Host-` keeps other names of the same domain from setting it.
 */
export class SessionCookie {
  readonly name: string;
  readonly #attributes: string;

  constructor(port: number, secure: boolean) {
    this.name = `${secure ? '__Host-' : ''}portcullis-admin-${port}`;
    this.#attributes = `Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
  }

  set(id: string): string {
    return `${this.name}=${id}; Max-Age=${LIFE_MS / 1000}; ${this.#attributes}`;
  }

  clear(): string {
    return `${this.name}=; Max-Age=0; ${this.#attributes}`;
  }

  /** What a request brings under this name; more than one only where somebody else set another. */
  read(header: string | undefined): string[] {
    if (header === undefined) return [];
    const start = `${this.name}=`;
    return header
      .split(';')
      .map((one) => one.trim())
      .filter((one) => one.startsWith(start))
      .slice(0, COOKIES_LOOKED_AT)
      .map((one) => one.slice(start.length));
  }
}
