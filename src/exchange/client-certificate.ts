import { createHash } from 'node:crypto';
import { SocketAddress } from 'node:net';
import type { CatalogueCode } from './decision.ts';
import {
  BOOLEAN,
  context,
  DerError,
  DerReader,
  INTEGER,
  integerHex,
  OBJECT_IDENTIFIER,
  OCTET_STRING,
  oidText,
  SEQUENCE,
  timeOf,
} from './der.ts';
import { type DistinguishedName, nameText, readName } from './distinguished-name.ts';

/** The alternative names of a certificate (RFC 5280 section 4.2.1.6), those that are well formed. */
export interface AlternativeNames {
  /** Lower case. */
  readonly dns: readonly string[];
  /** As they are. */
  readonly uri: readonly string[];
  /** The domain in lower case, the rest as it is. */
  readonly email: readonly string[];
  /** In the form of RFC 5952. */
  readonly ip: readonly string[];
  /** Some entry of these kinds is malformed: a NUL, a blank, bytes beyond ASCII, an address of another length. It matches nothing. */
  readonly malformed: boolean;
}

/** What stands in a certificate, read once from its DER. Printed forms are not looked at: they can be forged (CVE-2021-44531 to 44533). */
export interface CertificateFields {
  readonly serial: string;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly names: AlternativeNames;
}

/**
 * The certificate that a client has shown and the listener has verified: chain, validity, purpose, revocation. One object for all requests
 * of a connection; nothing of it changes but what `problem` says.
 */
export class ClientCertificate {
  /** SHA-256 of the certificate, 64 hexadecimal digits. */
  readonly fingerprint: string;
  /** The certificate itself, DER. */
  readonly raw: Buffer;
  /** Names of the authorities above it, the nearest first (RFC 4514), as far as they are known. */
  readonly issuers: readonly string[];
  readonly #fields: CertificateFields;
  readonly #standing: Standing;
  #subject: string | undefined;

  constructor(raw: Buffer, fields: CertificateFields, issuers: readonly string[], standing: Standing) {
    this.raw = raw;
    this.fingerprint = createHash('sha256').update(raw).digest('hex');
    this.issuers = issuers;
    this.#fields = fields;
    this.#standing = standing;
  }

  /** The subject as RFC 4514 writes it: the same text means the same name. */
  get subject(): string {
    this.#subject ??= nameText(this.#fields.subject);
    return this.#subject;
  }

  /** The subject attribute by attribute. */
  get subjectName(): DistinguishedName {
    return this.#fields.subject;
  }

  get issuer(): string {
    return this.issuers[0];
  }

  /** Hexadecimal, lower case. */
  get serial(): string {
    return this.#fields.serial;
  }

  get notBefore(): number {
    return this.#fields.notBefore;
  }

  get notAfter(): number {
    return this.#fields.notAfter;
  }

  get names(): AlternativeNames {
    return this.#fields.names;
  }

  /** `x5t#S256` of tokens that are bound to this certificate (RFC 8705 section 3.1). */
  get thumbprint(): string {
    return Buffer.from(this.fingerprint, 'hex').toString('base64url');
  }

  /**
   * Why it counts no longer: a connection may live longer than a certificate, or than its place on no revocation list. undefined: it still
   * counts. Two comparisons as long as nothing has changed.
   */
  problem(now: number): CatalogueCode | undefined {
    return this.#standing.problem(now);
  }
}

/** Keeps watch over a verified chain. */
export interface Standing {
  problem(now: number): CatalogueCode | undefined;
}

/** Reads a certificate. Throws DerError. */
export function readCertificate(der: Buffer): CertificateFields {
  const tbs = new DerReader(der).enter(SEQUENCE).enter(SEQUENCE);
  tbs.optional(context(0));
  const serial = integerHex(tbs.next(INTEGER).value);
  tbs.next(SEQUENCE);
  const issuer = readName(tbs.next(SEQUENCE).raw);
  const validity = tbs.enter(SEQUENCE);
  const [notBefore, notAfter] = [timeOf(validity.next()), timeOf(validity.next())];
  const subject = readName(tbs.next(SEQUENCE).raw);
  tbs.next(SEQUENCE);
  let names: AlternativeNames = { dns: [], uri: [], email: [], ip: [], malformed: false };
  while (!tbs.done) {
    const element = tbs.next();
    if (element.tag === context(3)) names = alternativeNames(element.value) ?? names;
  }
  return { serial, subject, issuer, notBefore, notAfter, names };
}

const SUBJECT_ALT_NAME = '2.5.29.17';

function alternativeNames(extensions: Buffer): AlternativeNames | undefined {
  let found: AlternativeNames | undefined;
  const list = new DerReader(extensions).enter(SEQUENCE);
  while (!list.done) {
    const extension = list.enter(SEQUENCE);
    const id = oidText(extension.next(OBJECT_IDENTIFIER).value);
    extension.optional(BOOLEAN);
    const { value } = extension.next(OCTET_STRING);
    if (id !== SUBJECT_ALT_NAME) continue;
    // RFC 5280 section 4.2: an extension is there once. Of two, one reader takes the first and another the last.
    if (found !== undefined) throw new DerError('two lists of alternative names');
    found = readGeneralNames(value);
  }
  return found;
}

const EMAIL = 0x81;
const DNS = 0x82;
const URI = 0x86;
const IP = 0x87;

function readGeneralNames(der: Buffer): AlternativeNames {
  const names = { dns: [] as string[], uri: [] as string[], email: [] as string[], ip: [] as string[], malformed: false };
  const add = (list: string[], name: string | undefined): void => {
    if (name === undefined) names.malformed = true;
    else list.push(name);
  };
  const reader = new DerReader(der).enter(SEQUENCE);
  while (!reader.done) {
    const { tag, value } = reader.next();
    if (tag === DNS) add(names.dns, visible(value)?.toLowerCase());
    else if (tag === URI) add(names.uri, visible(value));
    else if (tag === EMAIL) add(names.email, canonicalEmail(visible(value) ?? ''));
    else if (tag === IP) add(names.ip, addressText(value));
  }
  return names;
}

/** Printable ASCII without blanks, the only bytes that these names have: what else is in one was put there to fool somebody. */
function visible(value: Buffer): string | undefined {
  return value.length > 0 && value.every((byte) => byte > 0x20 && byte < 0x7f) ? value.toString('latin1') : undefined;
}

/** The domain compares without letter case, the part before it with. undefined: no address. */
export function canonicalEmail(text: string): string | undefined {
  const at = text.lastIndexOf('@');
  return at < 1 || at === text.length - 1 ? undefined : text.slice(0, at + 1) + text.slice(at + 1).toLowerCase();
}

function addressText(value: Buffer): string | undefined {
  if (value.length === 4) return value.join('.');
  if (value.length !== 16) return undefined;
  const groups = Array.from({ length: 8 }, (_, i) => value.readUInt16BE(i * 2).toString(16));
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}
