import { createHash, sign } from 'node:crypto';
import type { CatalogueCode } from '../../src/errors/catalogue.ts';
import {
  audience,
  base64url,
  claims,
  foreign,
  hmacToken,
  issuer,
  keys,
  keySet,
  signatureOf,
  token,
  withPart,
} from '../support/tokens.ts';

/**
 * Tokens, in classes: what must stop with the code that the record must have, and beside it what must pass. The method takes RS256, PS256,
 * ES256, ES384 and EdDSA of the keys in `support/tokens.ts`.
 */
export interface TokenClass {
  readonly name: string;
  readonly stop: readonly (readonly [what: string, code: CatalogueCode, token: string])[];
  readonly pass: readonly (readonly [what: string, token: string])[];
}

const good = token();
const goodEs = token(claims(), {}, keys.es);
const now = Math.floor(Date.now() / 1000);

/** Signed, with this one claim replaced; as a plain JWT, so that RFC 9068 asks for nothing besides. */
const plain = (other: Record<string, unknown>) => token(claims(other), { typ: 'JWT' });

const noneSpellings = [
  'none',
  'None',
  'NONE',
  'nOnE',
  'none ',
  ' none',
  '\tnone',
  'none\0',
  'n\u043ene',
  '',
  'null',
  'undefined',
];

const none: TokenClass = {
  name: 'alg none (RFC 8725 section 3.1)',
  stop: [
    ...noneSpellings.flatMap((alg) => {
      const unsigned = `${base64url(JSON.stringify({ alg, typ: 'JWT' }))}.${base64url(JSON.stringify(claims()))}`;
      const signature = good.split('.')[2];
      return [
        [`${JSON.stringify(alg)} without signature`, 'token-malformed', `${unsigned}.`],
        [`${JSON.stringify(alg)} without the last dot`, 'token-malformed', unsigned],
        [`${JSON.stringify(alg)} with a signature`, 'token-algorithm', `${unsigned}.${signature}`],
      ] as const;
    }),
    ...[undefined, null, 0, true, ['RS256'], ['none', 'RS256'], { RS256: true }].map(
      (alg) => [`alg ${JSON.stringify(alg)}`, 'token-algorithm', token(claims(), { alg })] as const,
    ),
    ['a good token whose header says none', 'token-algorithm', withPart(good, 0, () => base64url('{"alg":"none"}'))],
  ],
  pass: [['RS256', good]],
};

const spki = keys.rs.publicKey.export({ format: 'pem', type: 'spki' }) as string;
const pkcs1 = keys.rs.publicKey.export({ format: 'pem', type: 'pkcs1' }) as string;
const jwk = keys.rs.publicKey.export({ format: 'jwk' });
const esSpki = keys.es.publicKey.export({ format: 'pem', type: 'spki' }) as string;

/** Everything that a library ever took for the key's text. */
const secrets: [string, string | Buffer][] = [
  ...(
    [
      ['SPKI', spki],
      ['PKCS1', pkcs1],
      ['EC SPKI', esSpki],
    ] as const
  ).flatMap(([name, pem]): [string, string][] => [
    [`${name} PEM`, pem],
    [`${name} PEM without its last line feed`, pem.trimEnd()],
    [`${name} PEM with CRLF`, pem.replaceAll('\n', '\r\n')],
    [`${name} PEM with a space in front`, ` ${pem}`],
    [`${name} PEM with a line feed in front`, `\n${pem}`],
    [`${name} PEM with two line feeds behind`, `${pem}\n`],
    [`${name} PEM on one line`, pem.replaceAll('\n', '')],
    [`${name} PEM without its frame`, pem.replaceAll(/-----[^-]+-----|\n/g, '')],
  ]),
  ['SPKI DER', keys.rs.publicKey.export({ format: 'der', type: 'spki' })],
  ['PKCS1 DER', keys.rs.publicKey.export({ format: 'der', type: 'pkcs1' })],
  ['JWK', JSON.stringify(jwk)],
  ['JWK as published', JSON.stringify(keySet().keys[0])],
  ['JWK with spaces', JSON.stringify(jwk, undefined, 2)],
  ['JWK set', JSON.stringify(keySet())],
  ['n', Buffer.from(jwk.n as string, 'base64url')],
  ['n in base64url', jwk.n as string],
  [
    'the thumbprint',
    createHash('sha256')
      .update(JSON.stringify({ e: jwk.e, kty: 'RSA', n: jwk.n }))
      .digest(),
  ],
  ['nothing', ''],
  ['the kid', keys.rs.kid],
];

const confusion: TokenClass = {
  name: 'RS/HS confusion (CVE-2016-5431)',
  stop: secrets.flatMap(([name, secret]) => [
    ...['HS256', 'HS384', 'HS512'].map((alg) => [`${alg} with ${name}`, 'token-algorithm', hmacToken(alg, secret)] as const),
    [`HMAC with ${name} that says RS256`, 'token-signature', withPart(hmacToken('HS256', secret), 0, () => good.split('.')[0])],
  ]),
  pass: [],
};

const algorithmOfKey: TokenClass = {
  name: 'an algorithm that is not the key’s',
  stop: [
    ['ES256 with the kid of an RSA key', 'token-key-unknown', token(claims(), { kid: keys.rs.kid }, keys.es)],
    ['RS256 with the kid of an EC key', 'token-key-unknown', token(claims(), { kid: keys.es.kid }, keys.rs)],
    ['PS256 with a key that says RS256', 'token-key-unknown', token(claims(), { alg: 'PS256' }, keys.rs, 'PS256')],
    ['RS256 with a key that says PS256', 'token-key-unknown', token(claims(), { alg: 'RS256' }, keys.ps, 'RS256')],
    ['ES384 with a P-256 key', 'token-key-unknown', token(claims(), { alg: 'ES384' }, keys.es, 'ES384')],
    ['EdDSA with the kid of an EC key', 'token-key-unknown', token(claims(), { kid: keys.es.kid }, keys.ed)],
    ['RS384, which is not in the list', 'token-algorithm', token(claims(), { alg: 'RS384' }, keys.rs, 'RS384')],
    ['RS512, which is not in the list', 'token-algorithm', token(claims(), { alg: 'RS512' }, keys.rs, 'RS512')],
    ['RS1', 'token-algorithm', token(claims(), { alg: 'RS1' })],
    ['ES256K on its own curve', 'token-algorithm', token(claims(), { alg: 'ES256K' }, foreign.k1, 'ES256')],
    ['secp256k1 that says ES256', 'token-signature', token(claims(), {}, foreign.k1, 'ES256')],
    ['P-384 that says ES256', 'token-signature', token(claims(), {}, foreign.es384, 'ES256')],
    ['a PKCS1 signature that says PS256', 'token-signature', token(claims(), {}, keys.ps, 'RS256')],
    ['a PSS signature that says RS256', 'token-signature', token(claims(), {}, keys.rs, 'PS256')],
    ['rs256 in lower case', 'token-algorithm', token(claims(), { alg: 'rs256' })],
    ['EdDSA with the name of its curve', 'token-algorithm', token(claims(), { alg: 'Ed25519' }, keys.ed, 'EdDSA')],
  ],
  pass: [
    ['PS256', token(claims(), {}, keys.ps)],
    ['ES256', goodEs],
    ['ES384', token(claims(), {}, keys.es384)],
    ['EdDSA', token(claims(), {}, keys.ed)],
    ['RS256 without kid', token(claims(), { kid: undefined })],
    ['ES256 without kid', token(claims(), { kid: undefined }, keys.es)],
  ],
};

const kids: unknown[] = [
  '../../../../dev/null',
  '/dev/null',
  'file:///etc/passwd',
  'http://127.0.0.1:1/key',
  "' UNION SELECT 'secret' --",
  "rs-1' OR '1'='1",
  'rs-1\0',
  'rs-1 ',
  ' rs-1',
  'RS-1',
  'rs-1\n',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  '0',
  '*',
  '$(id)',
  '| cat /etc/passwd',
  'k'.repeat(512),
];

const kid: TokenClass = {
  name: 'kid that injects',
  stop: [
    ...kids.map(
      (one) => [`kid ${JSON.stringify(one).slice(0, 40)}`, 'token-key-unknown', token(claims(), { kid: one })] as const,
    ),
    ...[0, 1, null, true, ['rs-1'], [], {}, { rs: 1 }, 'k'.repeat(513)].map(
      (one) => [`kid ${JSON.stringify(one).slice(0, 40)}`, 'token-header', token(claims(), { kid: one })] as const,
    ),
    ['__proto__ in the header', 'token-malformed', token(claims(), '{"alg":"RS256","kid":"rs-1","__proto__":{"alg":"none"}}')],
  ],
  pass: [['its own kid', good]],
};

/** Keys and addresses of keys in the header: `url` counts who fetches it. */
export function keysInHeader(url: string): TokenClass {
  const own = foreign.rs.publicKey.export({ format: 'jwk' });
  const headers: Record<string, Record<string, unknown>> = {
    jwk: { jwk: own },
    'jwk and its kid': { jwk: { ...own, kid: 'rs-1' }, kid: 'rs-1' },
    jku: { jku: `${url}/jku` },
    'jku with the issuer in front': { jku: `${issuer}@${url.slice('http://'.length)}/jku` },
    x5u: { x5u: `${url}/x5u` },
    x5c: { x5c: [keys.rs.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')] },
    'all of them': { jwk: own, jku: url, x5u: url, x5c: ['AAAA'], 'x5t#S256': 'AAAA' },
  };
  const unknownKid = Object.entries(headers).map(
    ([name, header]) =>
      [`${name}, and a kid of its own`, 'token-key-unknown', token(claims(), { ...header, kid: 'mine' }, foreign.rs)] as const,
  );
  return {
    name: 'keys in the header (CVE-2018-0114)',
    stop: [
      ...Object.entries(headers).map(
        ([name, header]) => [name, 'token-signature', token(claims(), { ...header, kid: 'rs-1' }, foreign.rs)] as const,
      ),
      ...unknownKid,
      ['a kid that is a URL', 'token-key-unknown', token(claims(), { kid: `${url}/kid` }, foreign.rs)],
    ],
    pass: Object.entries(headers).map(([name, header]) => [
      `signed by the issuer, with ${name}`,
      token(claims(), { ...header, kid: 'rs-1' }),
    ]),
  };
}

const der = (() => {
  const signed = goodEs.slice(0, goodEs.lastIndexOf('.'));
  return sign('sha256', Buffer.from(signed), keys.es.privateKey);
})();
const bytes = (length: number, fill = 0) => base64url(Buffer.alloc(length, fill));
const ORDER = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';
const orderOnly = Buffer.from(ORDER + ORDER, 'hex');
const raw = (whole: string) => Buffer.from(whole.split('.')[2], 'base64url');

const signature: TokenClass = {
  name: 'signatures (CVE-2022-21449)',
  stop: [
    ['empty', 'token-malformed', withPart(good, 2, () => '')],
    ['missing with its dot', 'token-malformed', good.slice(0, good.lastIndexOf('.'))],
    ['one byte', 'token-signature', withPart(good, 2, () => bytes(1, 1))],
    ['RSA: cut by one byte', 'token-signature', withPart(good, 2, () => base64url(raw(good).subarray(0, 255)))],
    ['RSA: a zero in front', 'token-signature', withPart(good, 2, () => base64url(Buffer.concat([Buffer.alloc(1), raw(good)])))],
    ['RSA: a zero behind', 'token-signature', withPart(good, 2, () => base64url(Buffer.concat([raw(good), Buffer.alloc(1)])))],
    ['RSA: all zero', 'token-signature', withPart(good, 2, () => bytes(256))],
    ['RSA: one', 'token-signature', withPart(good, 2, () => base64url(Buffer.concat([Buffer.alloc(255), Buffer.from([1])])))],
    ['RSA: all ones', 'token-signature', withPart(good, 2, () => bytes(256, 255))],
    ['RSA: of somebody else', 'token-signature', token(claims(), {}, foreign.rs)],
    ['RSA: of another token', 'token-signature', withPart(good, 2, () => token(claims({ sub: 'u-18' })).split('.')[2])],
    ['EC: r and s zero', 'token-signature', withPart(goodEs, 2, () => bytes(64))],
    [
      'EC: r zero',
      'token-signature',
      withPart(goodEs, 2, () => base64url(Buffer.concat([Buffer.alloc(32), raw(goodEs).subarray(32)]))),
    ],
    [
      'EC: s zero',
      'token-signature',
      withPart(goodEs, 2, () => base64url(Buffer.concat([raw(goodEs).subarray(0, 32), Buffer.alloc(32)]))),
    ],
    ['EC: r and s the order of the curve', 'token-signature', withPart(goodEs, 2, () => base64url(orderOnly))],
    ['EC: r and s one', 'token-signature', withPart(goodEs, 2, () => bytes(64, 1))],
    ['EC: in DER', 'token-signature', withPart(goodEs, 2, () => base64url(der))],
    ['EC: in DER, filled up to 64 bytes', 'token-signature', withPart(goodEs, 2, () => base64url(der.subarray(0, 64)))],
    ['EC: cut', 'token-signature', withPart(goodEs, 2, () => base64url(raw(goodEs).subarray(0, 63)))],
    ['EC: too long', 'token-signature', withPart(goodEs, 2, () => base64url(Buffer.concat([raw(goodEs), Buffer.alloc(32)])))],
    ['EC: each half with a zero in front', 'token-signature', withPart(goodEs, 2, () => base64url(padded(raw(goodEs))))],
    ['EC: of somebody else', 'token-signature', token(claims(), {}, foreign.es)],
    ['EC: of an RSA key', 'token-signature', withPart(goodEs, 2, () => good.split('.')[2])],
    ['EdDSA: all zero', 'token-signature', withPart(token(claims(), {}, keys.ed), 2, () => bytes(64))],
    ['EdDSA: the neutral point', 'token-signature', withPart(token(claims(), {}, keys.ed), 2, () => base64url(neutral()))],
    ['another payload', 'token-signature', withPart(good, 1, () => base64url(JSON.stringify(claims({ sub: 'admin' }))))],
    ['another header', 'token-signature', withPart(good, 0, () => base64url('{"kid":"rs-1","alg":"RS256"}'))],
  ],
  pass: [['made again', token()]],
};

function padded(value: Buffer): Buffer {
  return Buffer.concat([Buffer.alloc(1), value.subarray(0, 32), Buffer.alloc(1), value.subarray(32)]);
}

function neutral(): Buffer {
  const value = Buffer.alloc(64);
  value[0] = 1;
  return value;
}

const nested = (() => {
  const signed = `${base64url(JSON.stringify({ alg: 'RS256', kid: 'rs-1', cty: 'JWT' }))}.${base64url(good)}`;
  return `${signed}.${base64url(signatureOf(signed, 'RS256', keys.rs.privateKey))}`;
})();

const extensions: TokenClass = {
  name: 'headers that change the meaning, encryption, tokens in tokens',
  stop: [
    ...[
      { crit: ['exp'] },
      { crit: [] },
      { crit: 'b64' },
      { crit: null },
      { crit: ['b64'], b64: false },
      { crit: ['http://example.com/x'], 'http://example.com/x': true },
      { b64: false },
      { b64: true },
      { zip: 'DEF' },
      { zip: null },
      { enc: 'A256GCM' },
      { p2c: 1_000_000_000 },
      { p2c: 1_000_000_000, p2s: 'AAAA' },
      { epk: {} },
      { cty: 'JWT' },
      { cty: 'jwt' },
      { cty: 'application/jwt' },
      { cty: ['JWT'] },
    ].map((header) => [JSON.stringify(header), 'token-header', token(claims(), header)] as const),
    ['PBES2 with a billion rounds', 'token-header', token(claims(), { alg: 'PBES2-HS256+A128KW', p2c: 1_000_000_000 })],
    ['dir', 'token-header', token(claims(), { alg: 'dir', enc: 'A128GCM' })],
    ['PBES2', 'token-algorithm', token(claims(), { alg: 'PBES2-HS256+A128KW' })],
    ['RSA-OAEP', 'token-algorithm', token(claims(), { alg: 'RSA-OAEP' })],
    ['a token in a token', 'token-header', nested],
    ['a JWE of five parts', 'token-malformed', `${base64url('{"alg":"dir","enc":"A128GCM"}')}..AAAA.AAAA.AAAA`],
    ['four parts', 'token-malformed', `${good}.AAAA`],
    ['JSON serialisation', 'token-malformed', base64url('{"payload":"AAAA","signatures":[]}')],
    ...[
      'at+jw',
      'secevent+jwt',
      'dpop+jwt',
      'logout+jwt',
      'JWE',
      'application/',
      '',
      'application/application/jwt',
      'JWT ',
      null,
      1,
      ['JWT'],
      {},
    ].map((typ) => [`typ ${JSON.stringify(typ)}`, 'token-type', token(claims(), { typ })] as const),
  ],
  pass: [
    ...['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/At+Jwt'].map(
      (typ) => [`typ ${typ}`, token(claims({ client_id: 'c', jti: 'j' }), { typ })] as const,
    ),
    ...['JWT', 'jwt', 'application/jwt', undefined].map((typ) => [`typ ${typ}`, token(claims(), { typ })] as const),
    ['a parameter of its own', token(claims(), { 'example.com/version': 3, nonce: 'x' })],
    ['cty that is no token', token(claims(), { cty: 'example' })],
  ],
};

/** A character that carries the same bits for a lenient decoder, but others beyond the last byte. */
function otherBits(part: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return part.slice(0, -1) + alphabet[alphabet.indexOf(part[part.length - 1]) ^ 1];
}

/** Payloads and headers whose length leaves bits over. */
const spaced = (length: number) => `${JSON.stringify(claims())}${' '.repeat(length)}`;
const leavesBits = [0, 1, 2].map(spaced).find((one) => Buffer.byteLength(one) % 3 !== 0) as string;

/** A group of four that has only one character: it carries no byte. */
const alone = (part: string) => part + 'A'.repeat((5 - (part.length % 4)) % 4 || 4);

const manglings: [string, (part: string) => string][] = [
  ['padding', (part) => `${part}=`],
  ['padding twice', (part) => `${part}==`],
  ['a dot too many', (part) => `${part}.`],
  ['+', (part) => `${part.slice(0, 4)}+${part.slice(4)}`],
  ['/', (part) => `${part.slice(0, 4)}/${part.slice(4)}`],
  ['~', (part) => `${part.slice(0, 4)}~${part.slice(4)}`],
  ['a character alone in the last group', alone],
  ['nothing', () => ''],
];

const base64: TokenClass = {
  name: 'lenient base64',
  stop: [
    ...([0, 1, 2] as const).flatMap((place) =>
      manglings.map(([what, mangle]) => [`part ${place}: ${what}`, 'token-malformed', withPart(good, place, mangle)] as const),
    ),
    ['part 1: other bits beyond the last byte', 'token-malformed', withPart(token(leavesBits, { typ: 'JWT' }), 1, otherBits)],
    ['part 2: other bits beyond the last byte', 'token-malformed', withPart(good, 2, otherBits)],
    ['part 2 of ES256: other bits beyond the last byte', 'token-malformed', withPart(goodEs, 2, otherBits)],
  ],
  pass: [
    ['a payload that leaves bits', token(leavesBits, { typ: 'JWT' })],
    ['white space around the JSON', token(` \n${JSON.stringify(claims())}\t`, { typ: 'JWT' })],
  ],
};

const body = JSON.stringify(claims());
const latin1 = (() => {
  const payload = Buffer.from(body.replace('u-17', 'u-\xe9'), 'latin1');
  const signed = `${base64url('{"alg":"RS256","kid":"rs-1"}')}.${base64url(payload)}`;
  return `${signed}.${base64url(signatureOf(signed, 'RS256', keys.rs.privateKey))}`;
})();

const json: TokenClass = {
  name: 'JSON with two readings',
  stop: [
    ['iss twice', 'token-malformed', token(body.replace('{', '{"iss":"https://evil.test/",'), { typ: 'JWT' })],
    ['sub twice, once escaped', 'token-malformed', token(body.replace('{', '{"s\\u0075b":"admin",'), { typ: 'JWT' })],
    ['exp twice', 'token-malformed', token(body.replace('{', '{"exp":1,'), { typ: 'JWT' })],
    ['a member twice, deep inside', 'token-malformed', token(body.replace('{', '{"a":[{"b":1,"b":1}],'), { typ: 'JWT' })],
    ['__proto__ in the payload', 'token-malformed', token(body.replace('{', '{"__proto__":{"admin":true},'), { typ: 'JWT' })],
    ['__proto__ deep inside', 'token-malformed', token(body.replace('{', '{"a":{"__proto__":{"admin":true}},'), { typ: 'JWT' })],
    ['alg twice', 'token-malformed', token(claims(), '{"alg":"none","alg":"RS256","kid":"rs-1"}')],
    ['kid twice', 'token-malformed', token(claims(), '{"alg":"RS256","kid":"rs-1","kid":"es-1"}')],
    ['a comma too many', 'token-malformed', token(body.replace('}', ',}'), { typ: 'JWT' })],
    ['a comment', 'token-malformed', token(`${body}//`, { typ: 'JWT' })],
    ['two objects', 'token-malformed', token(`${body}{}`, { typ: 'JWT' })],
    ['a byte order mark', 'token-malformed', token(`\ufeff${body}`, { typ: 'JWT' })],
    ['latin1', 'token-malformed', latin1],
    ['a raw line feed in a string', 'token-malformed', token(body.replace('u-17', 'u-\n17'), { typ: 'JWT' })],
    ['an array', 'token-malformed', token(`[${body}]`, { typ: 'JWT' })],
    ['a string', 'token-malformed', token(JSON.stringify(body), { typ: 'JWT' })],
    ['null', 'token-malformed', token('null', { typ: 'JWT' })],
    ['nothing but a space', 'token-malformed', token(' ', { typ: 'JWT' })],
    ['a header that is an array', 'token-malformed', token(claims(), '["RS256"]')],
    ['too deep', 'token-malformed', token(claims({ a: JSON.parse('['.repeat(40) + ']'.repeat(40)) }), { typ: 'JWT' })],
    [
      'much too deep',
      'token-malformed',
      token(body.replace('{', `{"a":${'['.repeat(2000)}${']'.repeat(2000)},`), { typ: 'JWT' }),
    ],
  ],
  pass: [
    ['members with odd names', plain({ constructor: 1, toString: 2, prototype: { a: 1 }, 'a:b': ':{' })],
    ['characters beyond ASCII', plain({ sub: 'Zoë – 名前 😀' })],
    ['many claims', plain(Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`c${at}`, at])))],
  ],
};

/** Values of every JSON type, by name. */
const values = { null: null, true: true, false: false, 0: 0, 1: 1, '-1': -1, '""': '', '"x"': 'x', '[]': [], '{}': {} };
const wrong = (claim: string, code: CatalogueCode, allowed: (value: unknown) => boolean) =>
  Object.entries(values)
    .filter(([, value]) => !allowed(value))
    .map(([name, value]) => [`${claim} ${name}`, code, plain({ [claim]: value })] as const);
const number = (value: unknown) => typeof value === 'number';

const types: TokenClass = {
  name: 'every claim with every wrong type',
  stop: [
    ...wrong('iss', 'token-issuer', () => false),
    ['no iss', 'token-issuer', plain({ iss: undefined })],
    ['iss in a list (CVE-2025-30144)', 'token-issuer', plain({ iss: [issuer] })],
    ['iss in a list with another', 'token-issuer', plain({ iss: ['https://evil.test/', issuer] })],
    ['iss without its slash', 'token-issuer', plain({ iss: issuer.slice(0, -1) })],
    ['iss in capitals', 'token-issuer', plain({ iss: issuer.toUpperCase() })],
    ['iss with a space', 'token-issuer', plain({ iss: ` ${issuer}` })],
    ['iss with more behind it', 'token-issuer', plain({ iss: `${issuer}evil` })],
    ...wrong('aud', 'token-claims', (value) => typeof value === 'string' || Array.isArray(value)),
    ['no aud', 'token-claims', plain({ aud: undefined })],
    ['aud of others', 'token-audience', plain({ aud: 'stock' })],
    ['aud empty', 'token-audience', plain({ aud: '' })],
    ['aud an empty list', 'token-audience', plain({ aud: [] })],
    ['aud a list of others', 'token-audience', plain({ aud: ['stock', 'billing'] })],
    ['aud a beginning', 'token-audience', plain({ aud: audience.slice(0, -1) })],
    ['aud with more behind it', 'token-audience', plain({ aud: `${audience}-admin` })],
    ['aud a list in a text', 'token-audience', plain({ aud: `stock ${audience}` })],
    ['aud in capitals', 'token-audience', plain({ aud: audience.toUpperCase() })],
    ['aud a list with a number', 'token-claims', plain({ aud: [audience, 1] })],
    ['aud a list in a list', 'token-claims', plain({ aud: [[audience]] })],
    ['aud an object with our name', 'token-claims', plain({ aud: { [audience]: true } })],
    ...wrong('exp', 'token-claims', number),
    ['no exp', 'token-claims', plain({ exp: undefined })],
    ['exp a number in a text', 'token-claims', plain({ exp: `${now + 600}` })],
    ['exp in a list', 'token-claims', plain({ exp: [now + 600] })],
    ['exp infinite', 'token-claims', token(body.replace(/"exp":\d+/, '"exp":1e999'), { typ: 'JWT' })],
    ['exp a date', 'token-claims', plain({ exp: new Date(Date.now() + 600_000).toISOString() })],
    ...wrong('nbf', 'token-claims', number),
    ['nbf a number in a text', 'token-claims', plain({ nbf: `${now - 10}` })],
    ...wrong('iat', 'token-claims', number),
    ['iat a number in a text', 'token-claims', plain({ iat: `${now - 10}` })],
    ['iat infinitely early', 'token-claims', token(body.replace(/"iat":\d+/, '"iat":-1e999'), { typ: 'JWT' })],
    ...wrong('sub', 'token-claims', (value) => value === 'x'),
    ['half a surrogate pair in sub', 'token-claims', token(body.replace('u-17', '\\ud800'), { typ: 'JWT' })],
    ...wrong('scope', 'token-claims', (value) => typeof value === 'string' || Array.isArray(value)),
    ['scope with two spaces', 'token-claims', plain({ scope: 'a  b' })],
    ['scope with a tab', 'token-claims', plain({ scope: 'a\tb' })],
    ['scope with a line feed', 'token-claims', plain({ scope: 'a\r\nx-portcullis-subject: admin' })],
    ['scope a list with a number', 'token-claims', plain({ scope: ['a', 1] })],
    ['scope a list of lists', 'token-claims', plain({ scope: [['a']] })],
    ['scope a list with a text of two', 'token-claims', plain({ scope: ['a admin'] })],
    ['scp an object', 'token-claims', plain({ scope: undefined, scp: { a: true } })],
    ['a good scope beside a bad scp', 'token-claims', plain({ scp: 7 })],
    ...['sub', 'client_id', 'jti'].flatMap((claim) =>
      [undefined, null, 1, '', ['x'], {}].map(
        (value) => [`at+jwt with ${claim} ${JSON.stringify(value)}`, 'token-claims', token(claims({ [claim]: value }))] as const,
      ),
    ),
    ['at+jwt without iat', 'token-claims', token(claims({ iat: undefined }))],
    ['bound to a key of DPoP', 'token-bound', plain({ cnf: { jkt: 'AAAA' } })],
    ['bound to a certificate', 'token-bound', plain({ cnf: { 'x5t#S256': 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2' } })],
    ['cnf of another kind', 'token-bound', plain({ cnf: null })],
  ],
  pass: [
    ['aud a list of one', plain({ aud: [audience] })],
    ['aud a list with others', plain({ aud: ['stock', audience] })],
    ['no sub', plain({ sub: undefined })],
    ['no iat', plain({ iat: undefined })],
    ['no scope', plain({ scope: undefined })],
    ['an empty scope', plain({ scope: '' })],
    ['an empty list of scopes', plain({ scope: [] })],
    ['scope a list', plain({ scope: ['orders:read', 'orders:write'] })],
    ['scp a list', plain({ scope: undefined, scp: ['orders:read'] })],
    ['scp a text', plain({ scope: undefined, scp: 'orders:read User.Read' })],
    ['times with fractions', plain({ exp: now + 100.5, nbf: now - 1.25, iat: now - 1.5 })],
  ],
};

const times: TokenClass = {
  name: 'times',
  stop: [
    ['expired', 'token-expired', plain({ iat: now - 700, exp: now - 60 })],
    ['expired long ago', 'token-expired', plain({ iat: 0, exp: 1 })],
    ['exp negative', 'token-expired', plain({ exp: -1 })],
    ['exp zero', 'token-expired', plain({ exp: 0 })],
    ['expired beyond the skew', 'token-expired', plain({ exp: now - 6 })],
    ['nbf to come', 'token-not-yet-valid', plain({ nbf: now + 60 })],
    ['iat to come', 'token-not-yet-valid', plain({ iat: now + 60 })],
    ['exp in milliseconds', 'token-lifetime', plain({ exp: (now + 600) * 1000 })],
    ['a year', 'token-lifetime', plain({ exp: now + 365 * 86_400 })],
    ['a year without iat', 'token-lifetime', plain({ iat: undefined, exp: now + 365 * 86_400 })],
    ['a little longer than a day', 'token-lifetime', plain({ iat: now - 10, exp: now + 86_400 })],
    ['issued long ago, ends soon', 'token-lifetime', plain({ iat: now - 2 * 86_400, exp: now + 60 })],
    ['exp beyond all numbers', 'token-lifetime', token(body.replace(/"exp":\d+/, '"exp":1e308'), { typ: 'JWT' })],
  ],
  pass: [
    ['a day', plain({ iat: now - 10, exp: now + 86_390 })],
    ['nbf now', plain({ nbf: now })],
    ['nbf within the skew', plain({ nbf: now + 3, iat: now + 3 })],
  ],
};

/** All classes that need nothing but a token. */
export const tokenClasses: readonly TokenClass[] = [
  none,
  confusion,
  algorithmOfKey,
  kid,
  signature,
  extensions,
  base64,
  json,
  types,
  times,
];

/** Ways to send a credential. `good` is a good token, `key` any API key. */
export interface TransportCase {
  readonly name: string;
  /** Undefined: it passes. */
  readonly code: CatalogueCode | undefined;
  readonly status?: number;
  /** Raw header lines besides `Host`. */
  readonly lines: readonly string[];
  readonly query?: string;
  readonly body?: string;
}

const bearer = `Authorization: Bearer ${good}`;
const wrongly = (name: string, line: string, code: CatalogueCode = 'token-malformed', status?: number): TransportCase => ({
  name,
  code,
  status,
  lines: [line],
});
const inQuery = (query: string, name = query): TransportCase[] => [
  { name: `${name} alone`, code: 'token-misplaced', lines: [], query: query.replace('=TOKEN', `=${good}`) },
  {
    name: `${name} beside the header`,
    code: 'credentials-ambiguous',
    lines: [bearer],
    query: query.replace('=TOKEN', `=${good}`),
  },
];
const form = `access_token=${good}`;

export const transport: readonly TransportCase[] = [
  { name: 'as it should be', code: undefined, lines: [bearer] },
  { name: 'another case of the field', code: undefined, lines: [`aUTHORIZATION: Bearer ${good}`] },
  ...['bearer', 'BEARER', 'bEaReR'].map((scheme) => ({
    name: scheme,
    code: undefined,
    lines: [`Authorization: ${scheme} ${good}`],
  })),
  { name: 'white space around the value', code: undefined, lines: [`Authorization:  \tBearer ${good} \t`] },
  { name: 'nothing', code: 'token-missing', lines: [] },
  wrongly('empty', 'Authorization:', 'token-missing'),
  wrongly('the scheme alone', 'Authorization: Bearer'),
  wrongly('two spaces', `Authorization: Bearer  ${good}`),
  wrongly('a tab', `Authorization: Bearer\t${good}`),
  wrongly('a comma', `Authorization: Bearer,${good}`),
  wrongly('two tokens', `Authorization: Bearer ${good} ${good}`),
  wrongly('two credentials in one field', `Authorization: Bearer ${good}, Bearer ${good}`),
  wrongly('a parameter', `Authorization: Bearer token="${good}"`),
  wrongly('in quotes', `Authorization: Bearer "${good}"`),
  wrongly('a semicolon behind it', `Authorization: Bearer ${good};`),
  wrongly('percent-encoded', `Authorization: Bearer%20${good}`, 'token-missing'),
  wrongly('a colon', `Authorization: Bearer: ${good}`),
  wrongly('no-break space', `Authorization: Bearer\xa0${good}`),
  wrongly('beyond ASCII', `Authorization: Bearer ${good}\xe9`),
  wrongly('only the token', `Authorization: ${good}`, 'token-missing'),
  wrongly('scheme twice', `Authorization: Bearer Bearer ${good}`),
  wrongly('Basic', `Authorization: Basic ${base64url(`user:${good}`)}`, 'token-missing'),
  wrongly('DPoP', `Authorization: DPoP ${good}`, 'token-missing'),
  wrongly('Token', `Authorization: Token ${good}`, 'token-missing'),
  wrongly('a longer scheme', `Authorization: BearerX ${good}`, 'token-missing'),
  wrongly('JWT', `Authorization: JWT ${good}`, 'token-missing'),
  wrongly('too long', `Authorization: Bearer ${'a'.repeat(8193)}`),
  wrongly('Proxy-Authorization', `Proxy-Authorization: Bearer ${good}`, 'token-missing'),
  wrongly('X-Authorization', `X-Authorization: Bearer ${good}`, 'token-missing'),
  wrongly('X-Access-Token', `X-Access-Token: ${good}`, 'token-missing'),
  wrongly('a cookie', `Cookie: access_token=${good}; token=${good}; Authorization=Bearer%20${good}`, 'token-missing'),
  { name: 'a cookie beside the header', code: undefined, lines: [bearer, `Cookie: access_token=${good}`] },
  { name: 'two fields', code: 'header-invalid', status: 400, lines: [bearer, bearer] },
  { name: 'two fields, one of them Basic', code: 'header-invalid', status: 400, lines: ['Authorization: Basic YTpi', bearer] },
  { name: 'two fields in two cases', code: 'header-invalid', status: 400, lines: [bearer, `authorization: Bearer ${good}`] },
  { name: 'named by Connection', code: undefined, lines: ['Connection: authorization', bearer] },
  ...inQuery('access_token=TOKEN'),
  ...inQuery('a=b&access_token=TOKEN&c=d'),
  ...inQuery('access_token='),
  ...inQuery('access_token'),
  ...inQuery('ACCESS_TOKEN=TOKEN'),
  ...inQuery('access%5Ftoken=TOKEN'),
  ...inQuery('%61ccess_token=TOKEN'),
  ...inQuery('access_token[]=TOKEN'),
  ...inQuery('access.token=TOKEN'),
  ...inQuery('a=b;access_token=TOKEN'),
  ...['token', 'q', 'a=1&jwt', 'x[]'].map((name) => ({
    name: `the same token in the query as ${name}`,
    code: 'credentials-ambiguous' as const,
    lines: [bearer],
    query: `${name}=${good}`,
  })),
  {
    name: 'the same token in the query, encoded',
    code: 'credentials-ambiguous',
    lines: [bearer],
    query: `t=${good.replaceAll('.', '%2E').replace('e', '%65')}&b`,
  },
  { name: 'another token in the query by another name', code: undefined, lines: [bearer], query: `id_token_hint=${goodEs}` },
  {
    name: 'a query that only looks like it',
    code: undefined,
    lines: [bearer],
    query: 'my_access_token=1&access_tokens=2&q=access_token&access=token',
  },
  { name: 'a query with odd encoding', code: undefined, lines: [bearer], query: 'a=%zz&%=%&b=%c3%28' },
  {
    name: 'a form',
    code: 'token-missing',
    lines: ['Content-Type: application/x-www-form-urlencoded', `Content-Length: ${form.length}`],
    body: form,
  },
];
