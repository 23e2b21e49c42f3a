import { createHash, generateKeyPair, randomBytes, sign } from 'node:crypto';
import { promisify } from 'node:util';
import ipaddr from 'ipaddr.js';
import type { Pem } from './pair.ts';

/*
 * Why not a library: @peculiar/x509 brings 20 packages (5 MB on disk, 20 MB of memory and 0.1 s to load) into a security
 * product, for one fixed certificate that is for development only. This writes DER and never reads any, so nothing that
 * an attacker sends comes near it; its tests hold it to OpenSSL's strict checks.
 */

const DAYS = 30;

/**
 * A self-signed certificate for development: P-256, valid for 30 days, for `localhost`, `127.0.0.1`, `::1` and the
 * names (or addresses) given.
 */
export async function makeSelfSigned(names: readonly string[] = []): Promise<Pem> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const body = tbsCertificate(spki, [...new Set(['localhost', '127.0.0.1', '::1', ...names])]);
  const certificate = sequence(body, ecdsaWithSha256, bitString(sign('sha256', body, privateKey)));
  return {
    cert: pem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** TBSCertificate (RFC 5280 section 4.1.2), version 3. */
function tbsCertificate(spki: Buffer, names: string[]): Buffer {
  const name = sequence(tlv(SET, sequence(oid('550403'), tlv(UTF8_STRING, Buffer.from('Portcullis development')))));
  // An hour back, for clocks that are behind.
  const begin = Date.now() - 3600_000;
  const validity = sequence(time(begin), time(begin + DAYS * 24 * 3600_000));
  return sequence(
    tlv(0xa0, integer(Buffer.of(2))),
    serialNumber(),
    ecdsaWithSha256,
    name,
    validity,
    name,
    spki,
    extensions(spki, names),
  );
}

function extensions(spki: Buffer, names: string[]): Buffer {
  // RFC 7093 section 2: any hash of the key, cut to 160 bits, will do.
  const keyId = createHash('sha256').update(spki).digest().subarray(0, 20);
  return tlv(
    0xa3,
    sequence(
      extension('551d13', true, sequence()), // basicConstraints: not a CA
      extension('551d0f', true, tlv(BIT_STRING, Buffer.of(7, 0x80))), // keyUsage: digitalSignature
      extension('551d25', false, sequence(oid('2b06010505070301'))), // extKeyUsage: serverAuth
      extension('551d0e', false, tlv(OCTET_STRING, keyId)), // subjectKeyIdentifier
      extension('551d23', false, sequence(tlv(0x80, keyId))), // authorityKeyIdentifier
      extension('551d11', false, sequence(...names.map(generalName))), // subjectAltName
    ),
  );
}

function generalName(name: string): Buffer {
  if (ipaddr.isValid(name)) return tlv(0x87, Buffer.from(ipaddr.parse(name).toByteArray()));
  return tlv(0x82, Buffer.from(name.toLowerCase(), 'ascii'));
}

/** 127 random bits: positive, and without the zero byte in front that DER would forbid. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0] & 0x7f) | 0x40;
  return integer(bytes);
}

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const SEQUENCE = 0x30;
const SET = 0x31;

/** Tag, length, value: DER's only form (X.690 section 8.1). */
function tlv(tag: number, value: Buffer): Buffer {
  const length = value.length;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), value]);
  if (length < 0x100) return Buffer.concat([Buffer.of(tag, 0x81, length), value]);
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), value]);
}

function sequence(...items: Buffer[]): Buffer {
  return tlv(SEQUENCE, Buffer.concat(items));
}

function integer(bytes: Buffer): Buffer {
  return tlv(INTEGER, bytes);
}

function bitString(bytes: Buffer): Buffer {
  return tlv(BIT_STRING, Buffer.concat([Buffer.of(0), bytes]));
}

/** An object identifier, its encoded value in hexadecimal. */
function oid(hex: string): Buffer {
  return tlv(0x06, Buffer.from(hex, 'hex'));
}

const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  const flag = critical ? [tlv(0x01, Buffer.of(0xff))] : [];
  return sequence(oid(id), ...flag, tlv(OCTET_STRING, value));
}

/** UTCTime, which RFC 5280 section 4.1.2.5 prescribes for dates up to 2049. */
function time(ms: number): Buffer {
  return tlv(UTC_TIME, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`, 'ascii'));
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').replace(/.{1,64}/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}-----END ${label}-----\n`;
}
