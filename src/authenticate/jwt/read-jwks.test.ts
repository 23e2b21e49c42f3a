import assert from 'node:assert/strict';
import { generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import { describe, test } from 'node:test';
import { readJwks } from './read-jwks.ts';

const read = (keys: readonly unknown[]) => readJwks(Buffer.from(JSON.stringify({ keys })));
const publicJwk = (pair: { publicKey: { export(options: { format: 'jwk' }): JsonWebKey } }) =>
  pair.publicKey.export({ format: 'jwk' });

const rsa = (bits: number, publicExponent = 65537) =>
  publicJwk(generateKeyPairSync('rsa', { modulusLength: bits, publicExponent }));
const ec = (namedCurve: string) => publicJwk(generateKeyPairSync('ec', { namedCurve }));

const RSA = rsa(2048);
const P256 = ec('P-256');
const ED25519 = publicJwk(generateKeyPairSync('ed25519'));
const RSA_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];

describe('a key', () => {
  const good: [name: string, jwk: Record<string, unknown>, algorithms: string[]][] = [
    ['RSA', { ...RSA }, RSA_ALGORITHMS],
    ['RSA with its algorithm', { ...RSA, alg: 'PS384' }, ['PS384']],
    ['P-256', { ...P256 }, ['ES256']],
    ['P-256 with its algorithm', { ...P256, alg: 'ES256' }, ['ES256']],
    ['P-384', { ...ec('P-384') }, ['ES384']],
    ['P-521', { ...ec('P-521') }, ['ES512']],
    ['Ed25519', { ...ED25519 }, ['EdDSA', 'Ed25519']],
    ['with its use', { ...P256, use: 'sig' }, ['ES256']],
    ['with its operations', { ...P256, key_ops: ['verify'] }, ['ES256']],
    [
      'with a certificate, which is not looked at',
      { ...P256, x5c: ['bm90IGEgY2VydGlmaWNhdGU='], x5u: 'http://127.0.0.1/' },
      ['ES256'],
    ],
    ['with members of somebody else', { ...P256, ext: true, issuer: 'x' }, ['ES256']],
    ['RSA with the exponent 3', { ...rsa(2048, 3) }, RSA_ALGORITHMS],
  ];
  for (const [name, jwk, algorithms] of good) {
    test(`${name} is taken, for what it may verify`, () => {
      const { keys, warnings } = read([{ ...jwk, kid: 'a' }]);
      assert.deepEqual(
        keys.map((key) => [key.kid, key.algorithms, key.key.type]),
        [['a', algorithms, 'public']],
      );
      assert.deepEqual(warnings, []);
    });
  }

  const otherPurpose: [name: string, jwk: Record<string, unknown>][] = [
    ['for encryption', { ...RSA, use: 'enc', alg: 'RSA-OAEP' }],
    ['for a use that is no text', { ...RSA, use: ['sig'] }],
    ['for other operations', { ...RSA, key_ops: ['encrypt', 'wrapKey'] }],
    ['with operations that are no list', { ...RSA, key_ops: 'verify' }],
  ];
  for (const [name, jwk] of otherPurpose) {
    test(`${name} is left out without a word`, () => assert.deepEqual(read([jwk]), { keys: [], warnings: [] }));
  }

  const privateRsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
  const bad: [name: string, jwk: unknown, why: RegExp][] = [
    ['that is symmetric', { kty: 'oct', k: 'c2VjcmV0' }, /symmetric/],
    ['that is symmetric and says otherwise', { ...RSA, k: 'c2VjcmV0' }, /private/],
    ['that is private', privateRsa, /private/],
    ['that is private, for a use of no matter', { ...privateRsa, use: 'enc' }, /private/],
    ['on secp256k1', ec('secp256k1'), /curve/],
    ['on a curve in another spelling', { ...P256, crv: 'p-256' }, /curve/],
    ['for key agreement', publicJwk(generateKeyPairSync('x25519')), /curve/],
    ['without a kind', { n: 'AQAB', e: 'AQAB' }, /kind/],
    ['of a kind in another spelling', { ...RSA, kty: 'rsa' }, /kind/],
    ['of 1024 bits', rsa(1024), /1024 bits/],
    ['of 2047 bits', { ...RSA, n: shorter(RSA.n as string) }, /20(?:47|46|45|44|43|42|41|40) bits/],
    ['far too large', { kty: 'RSA', e: 'AQAB', n: `v${'A'.repeat(3000)}B` }, /bits|not a valid key/],
    ['with the exponent 1', { ...RSA, e: 'AQ' }, /exponent|not a valid key/],
    ['with an even exponent', { ...RSA, e: 'AQAA' }, /exponent|not a valid key/],
    ['with an endless exponent', { ...RSA, e: `AQ${'A'.repeat(40)}E` }, /exponent|not a valid key/],
    ['with a point beside its curve', { ...P256, y: P256.x }, /not a valid key/],
    ['with the zero point', { ...P256, x: 'A'.repeat(43), y: 'A'.repeat(43) }, /not a valid key/],
    ['with the symmetric algorithm', { ...RSA, alg: 'HS256' }, /`alg`/],
    ['with the algorithm none', { ...RSA, alg: 'none' }, /`alg`/],
    ['with the algorithm of another curve', { ...P256, alg: 'ES384' }, /`alg`/],
    ['with the algorithm of another kind', { ...P256, alg: 'RS256' }, /`alg`/],
    ['with an algorithm that is no text', { ...P256, alg: ['ES256'] }, /`alg`/],
    ['with a kid that is no text', { ...P256, kid: 7 }, /`kid`/],
    ['without its members', { kty: 'RSA' }, /base64url/],
    ['with members that are no text', { ...RSA, n: 7 }, /base64url/],
    ['in plain base64', { ...P256, x: `${(P256.x as string).slice(0, 42)}=` }, /base64url/],
    ['that is no object', 'key', /no object/],
    ['that is null', null, /no object/],
    ['that is a list', [P256], /no object/],
  ];
  for (const [name, jwk, why] of bad) {
    test(`${name} is left out, which is told, and costs the others nothing`, () => {
      const { keys, warnings } = read([{ ...P256, kid: 'good' }, jwk]);
      assert.deepEqual(
        keys.map((key) => key.kid),
        ['good'],
      );
      assert.equal(warnings.length, 1);
      assert.match(warnings[0], /^key 2 /);
      assert.match(warnings[0], why);
    });
  }
});

/** The same number without its highest bit. */
function shorter(n: string): string {
  const bytes = Buffer.from(n, 'base64url');
  bytes[0] &= 0x7f;
  return bytes.toString('base64url');
}

test('a set that has two readings, or is none, is no set', () => {
  const key = JSON.stringify(P256);
  const texts = [
    '',
    '[]',
    'null',
    '{}',
    '{"keys":{}}',
    '{"keys":null}',
    `{"keys":[${key}]} x`,
    `{"keys":[],"keys":[${key}]}`,
    `{"keys":[{"kid":"a","kid":"b",${key.slice(1)}]}`,
    `\ufeff{"keys":[${key}]}`,
    `{"keys":[${Array.from({ length: 101 }, () => key).join(',')}]}`,
  ];
  for (const text of texts) assert.throws(() => readJwks(Buffer.from(text)), { name: 'JwksError' }, text.slice(0, 60));
  assert.deepEqual(readJwks(Buffer.from('{"keys":[]}')).keys, []);
  assert.equal(read(Array.from({ length: 100 }, () => P256)).keys.length, 100);
});

test('a key that was known stays the same object; one that may do something else is another', () => {
  const before = read([{ ...P256, kid: 'a' }, { ...RSA, kid: 'b' }, ED25519]).keys;
  const again = readJwks(
    Buffer.from(JSON.stringify({ keys: [ED25519, { use: 'sig', ...P256, kid: 'a' }, { ...RSA, kid: 'b', alg: 'RS256' }] })),
    before,
  );
  assert.equal(again.keys[0], before[2]);
  assert.equal(again.keys[1], before[0]);
  assert.notEqual(again.keys[2], before[1]);
  assert.deepEqual(again.keys[2].algorithms, ['RS256']);
  const renamed = readJwks(Buffer.from(JSON.stringify({ keys: [{ ...P256, kid: 'b' }] })), before);
  assert.notEqual(renamed.keys[0], before[0]);
});
