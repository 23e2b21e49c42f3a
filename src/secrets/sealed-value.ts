import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Binds what is encrypted to this form of it: a later one gets another number. */
const FORM = 'portcullis secret 1';

/**
 * AES-256-GCM with a random nonce of 96 bits (NIST SP 800-38D): nonce, ciphertext and tag behind one another. `context` is not in it
 * and must be the same to open it.
 */
export function sealValue(key: Buffer, context: string, value: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(`${FORM}\0${context}`));
  return Buffer.concat([nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()]);
}

/** The value, or undefined when it is not what was sealed with this key and context. */
export function openCipher(key: Buffer, context: string, sealed: Buffer): Buffer | undefined {
  const end = sealed.length - TAG_BYTES;
  if (end < NONCE_BYTES) return undefined;
  const cipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(`${FORM}\0${context}`));
  cipher.setAuthTag(sealed.subarray(end));
  const value = cipher.update(sealed.subarray(NONCE_BYTES, end));
  try {
    cipher.final();
    return value;
  } catch {
    value.fill(0);
    return undefined;
  }
}
