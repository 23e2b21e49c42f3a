import { isIP } from 'node:net';
import type { X509Certificate } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import { type CertificateFiles, isLoopback } from '../../config/units.ts';
import type { Path } from '../../config/schema-tree.ts';
import { readPairNow } from '../../listen/tls/pair.ts';
import type { Audited, Listener } from '../audited.ts';
import { type Check, type Judgement, met, open, type Verdict } from '../model.ts';
import { tooWide } from '../networks.ts';
import { entryAt } from '../place.ts';
import { all, eachListener, eachService, section } from '../scopes.ts';
import { span } from '../words.ts';

const DAY = 86_400_000;
const HALF_A_YEAR = 180 * DAY;
/** Fewer days than this are few, unless the certificate never had many more. */
const FEW_DAYS = 14;

const hasTls = ({ tls }: { readonly tls: unknown }) => tls !== 'none';

function age(files: CertificateFiles, at: Path, now: number): Judgement {
  const leaf = readPairNow(files).leaf;
  const left = Date.parse(leaf.validTo) - now;
  const days = Math.floor(left / DAY);
  const enough = left >= Math.min(FEW_DAYS * DAY, (Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)) / 3);
  if (left < 0) return open('the certificate has expired', at);
  return enough ? met(`${days} days left`, ...at) : open(`${days} days left`, at);
}

function ages(server: { readonly tls: Listener['tls'] }, audited: Audited, base: Path): Judgement[] {
  if (typeof server.tls === 'string') return [];
  return server.tls.map((pair, i) => age(pair, [...entryAt(audited.source, base, i), 'certificate'], audited.now));
}

function signedByItself(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);
}

function origins(server: { readonly tls: Listener['tls'] }, audited: Audited, base: Path): Judgement[] {
  if (server.tls === 'none') return [];
  if (server.tls === 'self-signed') return [open('the certificate is made at each start, and nobody can know it', ['tls'])];
  return server.tls.map((pair, i) => {
    const at = [...entryAt(audited.source, base, i), 'certificate'];
    return signedByItself(readPairNow(pair).leaf)
      ? open('the certificate is signed by itself', at)
      : met('signed by an authority', ...at);
  });
}

/** The part of a verdict that `admin` shares with listeners. */
function adminToo(judge: (server: { readonly tls: Listener['tls'] }, audited: Audited, base: Path) => Judgement[]) {
  return all(
    eachListener((listener, audited, name) => judge(listener, audited, ['listeners', name])),
    section('admin', (audited): Judgement[] =>
      audited.options.admin === undefined ? [] : judge(audited.options.admin, audited, ['admin']),
    ),
  );
}

const PRIVATE = new Set(['private', 'uniqueLocal', 'linkLocal', 'carrierGradeNat']);

function isPrivate(host: string): boolean {
  return isIP(host) !== 0 && PRIVATE.has(ipaddr.process(host).range());
}

function* clientSections(listener: Listener, audited: Audited, name: string): Iterable<Path> {
  if (isObject(listener['client-certificates'])) yield ['client-certificates'];
  if (typeof listener.tls === 'string') return;
  for (const [i, entry] of listener.tls.entries())
    if (isObject(entry['client-certificates'])) yield [...entryAt(audited.source, ['listeners', name], i), 'client-certificates'];
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null;

function revocation(listener: Listener, audited: Audited, name: string): Judgement[] {
  const entries = typeof listener.tls === 'string' ? [] : listener.tls.map((entry) => entry['client-certificates']);
  const written = [listener['client-certificates'], ...entries].filter((one) => typeof one === 'object');
  return [...clientSections(listener, audited, name)].map((at, i) =>
    written[i].crl === undefined
      ? open('nobody is asked which client certificates were revoked', at)
      : met('revocation lists are looked at', ...at, 'crl'),
  );
}

function plainTargets(targets: readonly { readonly url: string }[]): Judgement[] {
  return targets.map(({ url }, i) => {
    const { protocol, hostname, host } = new URL(url);
    const at = ['targets', i, 'url'];
    if (protocol === 'https:') return met(`${host} over TLS`, ...at);
    return isLoopback(hostname.replace(/^\[|\]$/g, ''))
      ? met(`${host} is on this machine`, ...at)
      : open(`${host} is reached without TLS`, at, `targets: [https://${host}]`);
  });
}

function* storeVerdicts({ options: { store } }: Audited): Iterable<Verdict> {
  if (store === 'memory') return;
  const subject = { kind: 'section', name: 'store', path: ['store'] } as const;
  if (store.tls) yield { ...met('over TLS'), subject };
  else if (isLoopback(store.host)) yield { ...met('on this machine'), subject };
  else yield { ...open('counters and password travel without TLS'), subject };
}

export const transport: readonly Check[] = [
  {
    name: 'listener-tls',
    title: 'Clients on other machines speak TLS',
    heading: 'transport',
    owasp: ['API8', 'API2'],
    why: 'Without TLS everybody on the way reads tokens and data, and changes them.',
    fix: 'tls: { certificate: tls/api.pem, key: tls/api.key }',
    applies: 'listeners off loopback',
    judge: eachListener((listener) => {
      if (isLoopback(listener.address.host)) return undefined;
      if (hasTls(listener)) return met('TLS', 'tls');
      return listener['redirect-to-https'] === false
        ? open('without TLS', ['tls'])
        : met('only redirects to HTTPS', 'redirect-to-https');
    }),
  },
  {
    name: 'https-redirect',
    title: 'Plain HTTP only leads to HTTPS',
    heading: 'transport',
    owasp: ['API8'],
    why: 'What is served on both ports is used on the wrong one.',
    fix: 'redirect-to-https: true',
    applies: 'plain listeners off loopback beside TLS',
    judge: eachListener((listener, { options }) => {
      if (hasTls(listener) || isLoopback(listener.address.host) || !Object.values(options.listeners).some(hasTls))
        return undefined;
      return listener['redirect-to-https'] === false
        ? open('serves requests without TLS', ['redirect-to-https'])
        : met('redirects', 'redirect-to-https');
    }),
  },
  {
    name: 'certificate-authority',
    title: 'Certificates come from an authority',
    heading: 'transport',
    owasp: ['API8'],
    why: 'Clients that must get used to a certificate that nobody vouches for accept an attacker’s as well.',
    fix: 'tls: { certificate: tls/api.pem, key: tls/api.key }',
    applies: 'listeners with TLS, `admin` too',
    judge: adminToo(origins),
  },
  {
    name: 'certificate-days',
    title: 'No certificate is about to expire',
    heading: 'transport',
    owasp: ['API8'],
    why: 'An expired certificate stops every client, or teaches it not to look.',
    fix: 'renew the certificate: it is taken over when the file changes',
    applies: 'certificates in files',
    judge: adminToo(ages),
  },
  {
    name: 'hsts',
    title: 'Browsers insist on HTTPS for at least half a year',
    heading: 'transport',
    owasp: ['API8'],
    why: 'Without it the first request after a while may go out in the clear.',
    fix: 'hsts: { max-age: 365d }',
    applies: 'listeners with TLS',
    judge: eachListener((listener) => {
      if (!hasTls(listener)) return undefined;
      if (listener.hsts === false) return open('Strict-Transport-Security is left out', ['hsts']);
      const most = listener.hsts['max-age'];
      return most < HALF_A_YEAR ? open(`for ${span(most)} only`, ['hsts', 'max-age']) : met(`for ${span(most)}`, 'hsts');
    }),
  },
  {
    name: 'private-mtls',
    title: 'Machines inside show certificates',
    heading: 'transport',
    owasp: ['API2'],
    why: 'On a private network only machines of one’s own should call, and an address proves nothing.',
    fix: 'client-certificates: { ca: tls/clients.pem, mode: required }',
    applies: 'listeners on private addresses',
    judge: eachListener((listener, audited, name) => {
      if (!isPrivate(listener.address.host)) return undefined;
      const [at] = clientSections(listener, audited, name);
      return at === undefined
        ? open('clients show no certificate', ['client-certificates'])
        : met('clients show certificates', ...at);
    }),
  },
  {
    name: 'revocation-lists',
    title: 'Revoked client certificates are refused',
    heading: 'transport',
    owasp: ['API2'],
    why: 'A stolen certificate works until it expires, unless a list says that it is revoked.',
    fix: 'client-certificates: { crl: tls/clients.crl }',
    applies: 'listeners that ask for client certificates',
    judge: eachListener(revocation),
  },
  {
    name: 'service-tls',
    title: 'Services on other machines are reached over TLS',
    heading: 'transport',
    owasp: ['API8', 'API10'],
    why: 'Behind the gateway travel the same data, and who the caller is; everybody on that network could read and forge them.',
    fix: 'targets: [https://HOST:PORT]',
    applies: 'every target of a service',
    judge: eachService(({ targets }) => plainTargets(targets)),
  },
  {
    name: 'service-verification',
    title: 'The certificates of services are verified',
    heading: 'transport',
    owasp: ['API10'],
    why: 'TLS without verification is a conversation with whoever answers first.',
    fix: 'tls: { verify: true }',
    applies: 'services with https targets',
    judge: eachService(({ targets, tls }) => {
      if (!targets.some(({ url }) => /^https:/i.test(url))) return undefined;
      return tls.verify ? met('verified', 'tls') : open('anybody can answer', ['tls', 'verify']);
    }),
  },
  {
    name: 'store-tls',
    title: 'The store is reached over TLS',
    heading: 'transport',
    owasp: ['API8'],
    why: 'Who can write into the store takes limits away, or locks everybody out.',
    fix: 'store: rediss://HOST:6379',
    applies: 'stores on the network',
    judge: storeVerdicts,
  },
  {
    name: 'egress-narrow',
    title: 'The gateway itself calls no large private networks',
    heading: 'transport',
    owasp: ['API7'],
    why: 'Whoever controls a name that the gateway looks up would reach what stands there, the cloud’s metadata above all.',
    fix: 'egress: { allow: [10.1.2.0/24] }',
    applies: 'always',
    judge: section('egress', ({ options: { egress } }) => {
      const wide = egress.allow.map((network, i) => [tooWide(network), i] as const).find(([problem]) => problem !== undefined);
      if (wide !== undefined) return open(wide[0] ?? '', ['allow', wide[1]]);
      return met(egress.allow.length === 0 ? 'public addresses only' : 'few private networks', 'allow');
    }),
  },
];
