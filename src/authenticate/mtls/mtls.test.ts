import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { certificateFolder, type IssueOptions, type Shown, TestCa } from '../../../test/support/client-certificates.ts';
import { ClientCertificate, readCertificate, type Standing } from '../../exchange/client-certificate.ts';
import type { CatalogueCode, Refusal } from '../../exchange/decision.ts';
import { type Caller, type ConnectionInfo, Exchange, type RequestHead } from '../../exchange/exchange.ts';
import { nameText } from '../../exchange/distinguished-name.ts';
import type { MethodWorld } from '../method.ts';
import { makeMtls } from './mtls.ts';
import { type MtlsOptions, mtlsOptions } from './options.ts';

const head: RequestHead = {
  method: 'GET',
  rawTarget: '/',
  version: '1.1',
  host: 'a.test',
  authority: 'a.test',
  path: '/',
  query: undefined,
  headers: [],
};
const info: ConnectionInfo = { listener: 'public', secure: true, peerAddress: '127.0.0.1', peerPort: 1, serverName: 'a.test' };
const world = { clock: { now: () => Date.now() } } as MethodWorld;
const GOOD: Standing = { problem: () => undefined };

function exchangeWith(certificate: ClientCertificate | undefined): Exchange {
  return new Exchange('id', { ...info, certificate }, head, undefined);
}

async function certificateOf(shown: Shown, standing = GOOD): Promise<ClientCertificate> {
  const { raw } = new X509Certificate(await readFile(shown.certificate));
  const fields = readCertificate(raw);
  return new ClientCertificate(raw, fields, [nameText(fields.issuer)], standing);
}

async function verify(options: unknown, certificate: ClientCertificate | undefined): Promise<Caller | Refusal> {
  const method = await makeMtls('machines', mtlsOptions.parse(options), world);
  return await method.verify(exchangeWith(certificate), '');
}

const BILLING: IssueOptions = {
  subject: '/O=Example/OU=ops/CN=billing',
  san: 'DNS:Billing.Example.Test,email:Ops@Example.TEST,IP:10.0.0.7,IP:2001:db8::7',
};
const SHOP: IssueOptions = { subject: '/O=Example', san: 'URI:spiffe://example.org/ns/shop/billing' };
const multi = (...san: string[]): IssueOptions => ({ subject: '/CN=x', san: san.join() });

/** A rule, a certificate, and whether the rule names it. */
const rules: readonly (readonly [rule: object | undefined, certificate: IssueOptions, allowed: boolean])[] = [
  [undefined, BILLING, true],
  [{ subject: 'CN=billing,OU=ops,O=Example' }, BILLING, true],
  [{ subject: 'cn=billing, ou=ops, o=Example' }, BILLING, true],
  [{ subject: ['CN=other', 'CN=billing,OU=ops,O=Example'] }, BILLING, true],
  [{ subject: 'O=Example,OU=ops,CN=billing' }, BILLING, false],
  [{ subject: 'CN=billing' }, BILLING, false],
  [{ subject: 'CN=billing,OU=ops,O=example' }, BILLING, false],
  [{ subject: 'CN=billing,OU=ops,O=Example ' }, BILLING, true],
  [{ subject: 'CN=billing+OU=ops,O=Example' }, BILLING, false],
  [{ issuer: 'CN=root' }, BILLING, true],
  [{ issuer: 'CN=other' }, BILLING, false],
  [{ attributes: { CN: 'billing' } }, BILLING, true],
  [{ attributes: { cn: ['x', 'billing'], '2.5.4.10': 'Example' } }, BILLING, true],
  [{ attributes: { CN: 'billing', O: 'Other' } }, BILLING, false],
  [{ attributes: { CN: 'Billing' } }, BILLING, false],
  [{ attributes: { L: '' } }, BILLING, false],
  [{ dns: 'billing.example.test' }, BILLING, true],
  [{ dns: 'BILLING.example.test' }, BILLING, true],
  [{ dns: 'example.test' }, BILLING, false],
  [{ dns: 'billing' }, BILLING, false],
  [{ email: 'Ops@example.test' }, BILLING, true],
  [{ email: 'ops@example.test' }, BILLING, false],
  [{ ip: '10.0.0.7' }, BILLING, true],
  [{ ip: '2001:DB8:0::7' }, BILLING, true],
  [{ ip: '10.0.0.70' }, BILLING, false],
  [{ ip: '::ffff:10.0.0.7' }, BILLING, false],
  [{ dns: 'billing.example.test', ip: '10.0.0.8' }, BILLING, false],
  [{ spiffe: 'spiffe://example.org/ns/shop/billing' }, SHOP, true],
  [{ spiffe: 'spiffe://example.org/ns/shop/*' }, SHOP, true],
  [{ spiffe: 'spiffe://example.org/*' }, SHOP, true],
  [{ spiffe: 'spiffe://example.org/ns/shop' }, SHOP, false],
  [{ spiffe: 'spiffe://example.org/ns/sho/*' }, SHOP, false],
  [{ spiffe: 'spiffe://example.org/ns/shop/billing/*' }, SHOP, false],
  [{ spiffe: 'spiffe://example.com/*' }, SHOP, false],
  // a wildcard in a certificate stands for nothing, and a common name is no DNS name
  [{ dns: 'a.example.test' }, multi('DNS:*.example.test'), false],
  [{ dns: 'orders.test' }, { subject: '/CN=orders.test' }, false],
  // names within names
  [{ attributes: { CN: 'admin' } }, { subject: '/CN=x\\/CN=admin' }, false],
  [{ attributes: { CN: 'admin' } }, { subject: '/CN=x,CN=admin' }, false],
  [{ attributes: { CN: 'admin' } }, { subject: '/CN=x\\+CN=admin' }, false],
  [{ subject: 'CN=admin' }, { subject: '/CN=admin/O=x' }, false],
  [{ attributes: { CN: 'admin' } }, { subject: '/O=x+CN=admin' }, true],
  [{ attributes: { CN: 'admin' } }, { subject: '/CN=admin/CN=guest' }, false],
  [{ attributes: { CN: 'guest' } }, { subject: '/CN=admin/CN=guest' }, false],
  [{ subject: 'CN=guest,CN=admin' }, { subject: '/CN=admin/CN=guest' }, true],
  [{ attributes: { CN: 'admin' } }, { subject: '/CN=admin ' }, false],
  [{ attributes: { CN: 'admin' } }, { subject: '/CN=аdmin' }, false],
  [{ attributes: { CN: 'Zoë' } }, { subject: '/CN=Zoë' }, true],
  [{ attributes: { CN: 'Zo\u00eb' } }, { subject: '/CN=Zoe\u0308' }, false],
  // entries that try to be two
  [{ dns: 'a.test' }, multi('DNS:x.test', 'DNS:a.test'), true],
  [{ dns: 'a.test' }, multi('URI:http://x/\\, DNS:a.test'.replace('\\, ', '%2C')), false],
  [{ email: 'root@a.test' }, multi('DNS:root@a.test'), false],
  [{ ip: '1.2.3.4' }, multi('DNS:1.2.3.4'), false],
  // one URI, and no other spelling of an id
  [{ spiffe: 'spiffe://td/a' }, multi('URI:spiffe://td/a', 'URI:spiffe://td/b'), false],
  [{ spiffe: 'spiffe://td/a' }, multi('URI:spiffe://td/a', 'URI:https://x/'), false],
  [{ spiffe: 'spiffe://td/a' }, multi('URI:spiffe://td/a', 'DNS:x.test'), true],
  [{ spiffe: 'spiffe://td/*' }, multi('URI:spiffe://td'), false],
  [{ spiffe: 'spiffe://td/*' }, multi('URI:spiffe://td/'), false],
  [{ spiffe: 'spiffe://td/a/*' }, multi('URI:spiffe://td/a/../b'), false],
  [{ spiffe: 'spiffe://td/a/*' }, multi('URI:spiffe://td/a//b'), false],
  [{ spiffe: 'spiffe://td/a/*' }, multi('URI:spiffe://td/a/%62'), false],
  [{ spiffe: 'spiffe://td/a/*' }, multi('URI:spiffe://td/a/b?x'), false],
  [{ spiffe: 'spiffe://td/a' }, multi('URI:SPIFFE://td/a'), false],
  [{ spiffe: 'spiffe://td/a' }, multi('URI:spiffe://TD/a'), false],
  [{ spiffe: 'spiffe://td/a' }, multi('URI:spiffe://td:1/a'), false],
  [{ spiffe: 'spiffe://td/a' }, multi('URI:spiffe://x@td/a'), false],
  [{ spiffe: 'spiffe://td/a' }, multi('URI:spiffe://td.evil/a'), false],
  [{ spiffe: 'spiffe://td/a' }, multi('DNS:spiffe://td/a'), false],
];

describe('rules on client certificates', { timeout: 200_000 }, () => {
  let folder: Awaited<ReturnType<typeof certificateFolder>>;
  let root: TestCa;
  const made = new Map<string, ClientCertificate>();

  const certificate = async (options: IssueOptions): Promise<ClientCertificate> => {
    const key = JSON.stringify(options);
    const found = made.get(key) ?? (await certificateOf(await root.issue(`c${made.size}`, options)));
    made.set(key, found);
    return found;
  };

  before(async () => {
    folder = await certificateFolder();
    root = await TestCa.root(folder.dir, 'root');
  });

  after(() => folder[Symbol.asyncDispose]());

  for (const [rule, options, allowed] of rules) {
    it(`${allowed ? 'names' : 'does not name'} ${JSON.stringify(options)}: ${JSON.stringify(rule)}`, async () => {
      const answer = await verify(rule === undefined ? {} : { allow: [rule] }, await certificate(options));
      if (allowed) assert.ok(!('kind' in answer), JSON.stringify(answer));
      else assert.deepEqual('kind' in answer && [answer.status, answer.code], [401, 'certificate-refused']);
    });
  }

  it('any of several rules will do', async () => {
    const allow = [{ subject: 'CN=nobody' }, { dns: 'billing.example.test' }];
    assert.ok(!('kind' in (await verify({ allow }, await certificate(BILLING)))));
  });

  it('bytes that nobody means are in no name that a rule has', async () => {
    const shown = await root.issue('to-forge', {
      subject: '/CN=admin~evil',
      san: 'DNS:admin.test~evil.test,URI:spiffe://td/a~b',
    });
    for (const [what, byte] of [
      ['a NUL', '\0'],
      ['a line feed', '\n'],
      ['a byte beyond ASCII', '\xe4'],
    ]) {
      const forged = await root.forge(shown, `f-${what}`, 'admin~evil', `admin${byte}evil`);
      // OpenSSL does not even read a name whose text is no UTF-8.
      if (byte > '~') await assert.rejects(certificateOf(forged), /invalid utf8string/);
      const inSubject = byte > '~' ? undefined : await certificateOf(forged);
      for (const CN of ['admin', 'evil', 'admin~evil']) {
        assert.ok('kind' in (await verify({ allow: [{ attributes: { CN } }] }, inSubject)), `${what} ${CN}`);
      }
      const inName = await certificateOf(
        await root.forge(shown, `g-${what}`, 'admin.test~evil.test', `admin.test${byte}evil.test`),
      );
      for (const dns of ['admin.test', 'evil.test'])
        assert.ok('kind' in (await verify({ allow: [{ dns }] }, inName)), `${what} ${dns}`);
      assert.ok(inName.names.malformed);
      const inUri = await certificateOf(await root.forge(shown, `h-${what}`, 'spiffe://td/a~b', `spiffe://td/a${byte}b`));
      assert.ok('kind' in (await verify({ allow: [{ spiffe: ['spiffe://td/a', 'spiffe://td/*'] }] }, inUri)), what);
    }
  });

  const subjects: readonly (readonly [MtlsOptions['subject-from'], IssueOptions, string | undefined])[] = [
    [undefined, SHOP, 'spiffe://example.org/ns/shop/billing'],
    [undefined, BILLING, 'CN=billing,OU=ops,O=Example'],
    [undefined, multi('URI:spiffe://td/a', 'URI:spiffe://td/b'), 'CN=x'],
    ['spiffe', SHOP, 'spiffe://example.org/ns/shop/billing'],
    ['spiffe', BILLING, undefined],
    ['dn', SHOP, 'O=Example'],
    ['cn', BILLING, 'billing'],
    ['cn', SHOP, undefined],
    ['cn', { subject: '/CN=admin/CN=guest' }, undefined],
    ['dns', BILLING, 'billing.example.test'],
    ['dns', multi('DNS:x.test', 'DNS:a.test'), undefined],
    ['email', BILLING, 'Ops@example.test'],
    ['email', SHOP, undefined],
  ];
  for (const [from, options, subject] of subjects) {
    it(`the subject from ${from ?? 'what is there'}: ${subject ?? 'refused'}`, async () => {
      const answer = await verify({ 'subject-from': from }, await certificate(options));
      if (subject === undefined) assert.equal('kind' in answer && answer.code, 'certificate-refused');
      else assert.equal('subject' in answer && answer.subject, subject);
    });
  }

  it('the caller is told with all that the certificate says', async () => {
    const shown = await certificate(BILLING);
    const caller = (await verify({}, shown)) as Caller;
    assert.deepEqual([caller.by, caller.name, caller.scopes, caller.header], ['mtls', 'machines', [], undefined]);
    assert.equal(caller.expires, shown.notAfter);
    assert.equal(Object.getPrototypeOf(caller.claims), null);
    const x509 = new X509Certificate(shown.raw);
    assert.deepEqual(JSON.parse(JSON.stringify(caller.claims)), {
      subject: 'CN=billing,OU=ops,O=Example',
      attributes: { O: ['Example'], OU: ['ops'], CN: ['billing'] },
      issuer: 'CN=root',
      issuers: ['CN=root'],
      serial: x509.serialNumber.toLowerCase(),
      fingerprint: x509.fingerprint256.replaceAll(':', '').toLowerCase(),
      san: { dns: ['billing.example.test'], uri: [], email: ['Ops@example.test'], ip: ['10.0.0.7', '2001:db8::7'] },
    });
  });

  it('one verdict serves all requests of a connection', async () => {
    const method = await makeMtls('machines', mtlsOptions.parse({}), world);
    const shown = await certificate(BILLING);
    assert.equal(method.verify(exchangeWith(shown), ''), method.verify(exchangeWith(shown), ''));
  });

  it('a certificate that has lost its worth is refused, on a connection that was good', async () => {
    let problem: CatalogueCode | undefined;
    const shown = await certificateOf(await root.issue('watched', BILLING), { problem: () => problem });
    const method = await makeMtls('machines', mtlsOptions.parse({}), world);
    assert.ok(!('kind' in (await method.verify(exchangeWith(shown), ''))));
    for (const [code, status] of [
      ['certificate-revoked', 401],
      ['certificate-expired', 401],
      ['certificate-crl-stale', 503],
    ] as const) {
      problem = code;
      const answer = await method.verify(exchangeWith(shown), '');
      assert.deepEqual('kind' in answer && [answer.code, answer.status], [code, status]);
    }
    problem = undefined;
    assert.ok(!('kind' in (await method.verify(exchangeWith(shown), ''))));
  });

  it('a connection without a certificate has none', async () => {
    const method = await makeMtls('machines', mtlsOptions.parse({}), world);
    assert.equal(method.presented?.(exchangeWith(undefined)), false);
    const answer = await method.verify(exchangeWith(undefined), '');
    assert.equal('kind' in answer && answer.code, 'certificate-missing');
  });
});

describe('options of mtls', () => {
  for (const [what, options] of Object.entries({
    'a rule that asks for nothing': { allow: [{}] },
    'no rule': { allow: [] },
    'a name with slashes': { allow: [{ subject: '/CN=a' }] },
    'an unknown attribute': { allow: [{ attributes: { XX: 'a' } }] },
    'a wildcard': { allow: [{ dns: '*.a.test' }] },
    'a name that is not ASCII': { allow: [{ dns: 'bücher.test' }] },
    'no address': { allow: [{ ip: '10.0.0.0/8' }] },
    'no mail address': { allow: [{ email: 'a.test' }] },
    'a wildcard within an id': { allow: [{ spiffe: 'spiffe://td/*/b' }] },
    'a wildcard for a part of a segment': { allow: [{ spiffe: 'spiffe://td/a*' }] },
    'a wildcard for the trust domain': { allow: [{ spiffe: 'spiffe://*/a' }] },
    'another scheme': { allow: [{ spiffe: 'https://td/a' }] },
    'an id in capitals': { allow: [{ spiffe: 'spiffe://TD/a' }] },
    'an unknown key': { allow: [{ san: 'x' }] },
  })) {
    it(`refused: ${what}`, () => assert.equal(mtlsOptions.safeParse(options).success, false));
  }
});
