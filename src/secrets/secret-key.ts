import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { openCipher, sealValue } from './sealed-value.ts';
import { SecretsError } from './secrets-error.ts';

/** Bytes of a key. */
const KEY_BYTES = 32;

/**
 * One key of the store. From its 32 bytes three are derived (HKDF-SHA-256, RFC 5869): one for the values, one for the seal of the whole
 * file, and the id that tells keys apart, which says nothing about the other two.
 */
export class SecretKey {
  /** 16 hexadecimal digits, written beside everything that was made with the key. */
  readonly id: string;
  readonly #values: Buffer;
  readonly #file: Buffer;

  /** Zeroes `bytes`: they are not needed any more. */
  constructor(bytes: Buffer) {
    this.id = derive(bytes, 'id', 8).toString('hex');
    this.#values = derive(bytes, 'values', KEY_BYTES);
    this.#file = derive(bytes, 'file', KEY_BYTES);
    bytes.fill(0);
  }

  /** Encrypts a value for this name, under a nonce that is used once. */
  seal(name: string, value: Buffer): Buffer {
    return sealValue(this.#values, `${name}\0${this.id}`, value);
  }

  /** The value for this name; undefined when one bit of it, its name or the key is another. */
  open(name: string, sealed: Buffer): Buffer | undefined {
    return openCipher(this.#values, `${name}\0${this.id}`, sealed);
  }

  /** The seal of a whole file. */
  sealOf(text: string): Buffer {
    return createHmac('sha256', this.#file).update(text).digest();
  }

  fits(text: string, seal: Buffer): boolean {
    const own = this.sealOf(text);
    return own.length === seal.length && timingSafeEqual(own, seal);
  }

  /** Zeroes what is left. */
  destroy(): void {
    this.#values.fill(0);
    this.#file.fill(0);
  }
}

function derive(bytes: Buffer, what: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', bytes, Buffer.alloc(0), `portcullis secrets 1 ${what}`, length));
}

const BASE64 = /^[A-Za-z0-9+/_-]{43}=?$/;
const HEX = /^[0-9A-Fa-f]{64}$/;

/**
 * The keys that a variable or a key file holds: 32 random bytes each, in Base64 (what `openssl rand -base64 32` writes) or hexadecimal,
 * with blanks, commas or lines between. The first is the one that encrypts; the others still decrypt. `where` is for messages.
 */
export function parseKeys(text: string, where: string): SecretKey[] {
  const words = text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .flatMap((line) => line.split(/[\s,]/))
    .filter((word) => word !== '');
  if (words.length === 0) throw new SecretsError(`${where} holds no key`);
  const keys = words.map((word) => new SecretKey(bytesOf(word, where)));
  if (new Set(keys.map(({ id }) => id)).size < keys.length) throw new SecretsError(`${where} holds the same key twice`);
  return keys;
}

function bytesOf(word: string, where: string): Buffer {
  const bytes = HEX.test(word) ? Buffer.from(word, 'hex') : BASE64.test(word) ? Buffer.from(word, 'base64url') : undefined;
  if (bytes?.length === KEY_BYTES) return bytes;
  throw new SecretsError(
    `${where} holds something that is no key: a key is 32 random bytes in Base64, as \`openssl rand -base64 32\` writes them`,
  );
}
