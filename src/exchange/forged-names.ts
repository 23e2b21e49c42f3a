import { HOP_BY_HOP } from './hop-by-hop.ts';

/**
 * Which of the names that a client sends reach a service. Services believe what stands in front of them: each name below
 * is one by which some gateway, load balancer, identity proxy or CDN tells a service who calls, from where, or which
 * resource is really meant. On its way through this gateway such a field comes from the client, so it is forged.
 */

/** The field goes on. */
export const PASS = 0;
/** The field is dropped, unless the configuration keeps it. */
export const DROP = 1;
/** The field is dropped whatever the configuration says: framing, hop-by-hop, and the names that are ours. */
export const NEVER = 2;
export type Verdict = typeof PASS | typeof DROP | typeof NEVER;

const OWN = new Set(['x-request-id', 'traceparent', 'tracestate', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host']);

/**
 * Our names for the caller, without whatever is no letter or digit: services look fields up in maps that know no case, some drop or change
 * punctuation, and CGI writes `HTTP_` in front. So `XPortcullisSubject`, `x--portcullis.subject` and `http_x_portcullis_subject` are ours too.
 */
const OWN_LETTERS = /^(?:redirect|http)*x*portcullis/;
const NO_LETTER = /[^a-z0-9]+/g;

/** `Proxy` becomes HTTP_PROXY in CGI (httpoxy, CVE-2016-5385); `Proxy-*` and `Trailers` never meant a service. */
const HOP_PREFIX = /^(?:proxy(?:-|$)|trailers?$|http2-)/;

const FORGED = new Set([
  // The address of the client
  'forwarded',
  'x-forwarded',
  'x-forward-for',
  'x-forwarder-for',
  'x-real-ip',
  'x-real-port',
  'x-client-ip',
  'x-client-port',
  'x-clientip',
  'client-ip',
  'http-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'x-true-client-ip',
  'x-true-ip',
  'x-proxyuser-ip',
  'x-coming-from',
  'x-peer-ip',
  'x-source-ip',
  'x-custom-ip-authorization',
  'cdn-src-ip',
  'cdn-real-ip',
  'ali-cdn-real-ip',
  'incap-client-ip',
  'do-connecting-ip',
  // How the client came, and what for
  'front-end-https',
  'x-https',
  'x-ssl',
  'x-scheme',
  'x-url-scheme',
  'x-proto',
  'x-host',
  'x-http-host-override',
  'x-host-override',
  'x-script-name',
  // Another target, another method
  'x-override-url',
  'x-http-destinationurl',
  'x-request-uri',
  'request-uri',
  'base-url',
  'http-url',
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-method',
  'http-method-override',
  'method-override',
  'http-method',
  // What makes the thing behind a proxy serve a file, skip a check (CVE-2025-29927), or trust a certificate (RFC 9440)
  'x-sendfile',
  'x-sendfile-type',
  'x-lighttpd-send-file',
  'x-reproxy-url',
  'x-middleware-subrequest',
  'x-middleware-rewrite',
  'x-middleware-next',
  'client-cert',
  'client-cert-chain',
  'x-client-cert',
  'x-client-cert-chain',
  'x-client-certificate',
  'x-clientcert',
  'x-client-dn',
  'x-client-verify',
  'x-client-subject',
  'x-client-san',
  'x-subject-dn',
  'x-issuer-dn',
  // Who calls. X-Auth-Token, X-Access-Token and X-API-Key are credentials that callers do send: these pass.
  'x-scope',
  'x-scopes',
  'x-role',
  'x-roles',
  'x-group',
  'x-groups',
  'x-permission',
  'x-permissions',
  'x-entitlements',
  'x-subject',
  'x-email',
  'x-admin',
  'x-is-admin',
  'x-anonymous',
  'x-claims',
  'x-session-user',
  'x-current-user',
  'x-logged-in-user',
  'x-end-user',
  'x-verified-user',
  'x-auth-user',
  'x-auth-username',
  'x-auth-userid',
  'x-auth-user-id',
  'x-auth-email',
  'x-auth-name',
  'x-auth-groups',
  'x-auth-group',
  'x-auth-roles',
  'x-auth-role',
  'x-auth-scopes',
  'x-auth-subject',
  'x-auth-claims',
  'x-id-token',
  'x-token-claims',
  'x-token-subject',
  'x-token-scopes',
  'auth-user',
  'auth-type',
  'x-endpoint-api-userinfo',
  'x-apigateway-api-userinfo',
  'x-goog-iap-jwt-assertion',
  'x-scope-orgid',
  'sm-user',
  'sm-userdn',
  'iv-user',
  'iv-groups',
  'iv-creds',
]);

/** Families: every name that begins like this. */
const FORGED_PREFIXES = [
  // Addresses and targets
  'x-forwarded-',
  'x-original-',
  'x-originating-',
  'x-rewrite-',
  'x-remote-',
  'remote-',
  'forwarded-',
  'wl-proxy-',
  'x-proxy-',
  // Certificates and TLS as a terminator tells them
  'x-ssl-',
  'ssl-',
  'x-tls-',
  'tls-client-',
  // Identity
  'x-user',
  'x-consumer',
  'x-authenticated',
  'x-auth-request-',
  'x-jwt-',
  'x-claim-',
  'x-credential-',
  'x-principal',
  'x-identity',
  'x-webauth-',
  'x-oidc-',
  'oidc-',
  'x-anonymous-',
  'impersonate-',
  'x-impersonate',
  'x-sso-',
  'x-saml-',
  'x-ldap-',
  // Products: CDNs, clouds, proxies, meshes, gateways
  'cf-',
  'fastly-',
  'akamai-',
  'x-akamai-',
  'x-azure-',
  'x-appengine-',
  'x-arr-',
  'x-ms-client-principal',
  'x-ms-token-',
  'x-amzn-oidc-',
  'x-amzn-mtls-',
  'x-goog-authenticated-',
  'x-vercel-',
  'x-nf-',
  'fly-',
  'x-sucuri-',
  'tailscale-',
  'x-envoy-',
  'x-accel-',
  'x-istio-',
  'x-kong-',
  'x-tyk-',
  'x-apisix-',
  'x-krakend-',
  'x-traefik-',
  'x-gateway-',
  'x-vouch-',
  'x-pomerium-',
  'x-authentik-',
  'x-authelia-',
];

/** Members of a family that tell nothing which a service would believe: gRPC-Web sends its version in this one. */
const HARMLESS = new Set(['x-user-agent']);

const ODD = /[^a-z0-9-]/g;

/**
 * Decides about one lower-case name. CGI, WSGI, Rack and PHP write every character of a name that is not a letter or a digit as
 * `_`, so `x_real_ip` and `x.real.ip` are `x-real-ip` to them: names with such characters never pass by default
 * (CVE-2026-52845, nginx' `ignore_invalid_headers` and `underscores_in_headers`).
 */
export function judgeName(name: string): Verdict {
  const alias = name.replace(ODD, '-');
  if (isReserved(alias)) return NEVER;
  if (alias !== name || FORGED.has(alias)) return DROP;
  if (HARMLESS.has(alias)) return PASS;
  return FORGED_PREFIXES.some((prefix) => alias.startsWith(prefix)) ? DROP : PASS;
}

/** True for what no configuration can let a client send: framing, hop-by-hop fields, and the names by which the gateway speaks. */
export function isReserved(name: string): boolean {
  const lower = name.toLowerCase();
  const alias = lower.replace(ODD, '-');
  return HOP_BY_HOP.has(alias) || OWN.has(alias) || HOP_PREFIX.test(alias) || OWN_LETTERS.test(lower.replace(NO_LETTER, ''));
}

const MOST_NAMES = 4096;
const LONGEST_NAME = 64;

/** Remembers verdicts, so that a field costs one look-up. Bounded: whoever invents names gets only their verdicts worked out anew. */
export class NameVerdicts {
  readonly #judge: (name: string) => Verdict;
  readonly #known = new Map<string, Verdict>();

  constructor(judge: (name: string) => Verdict) {
    this.#judge = judge;
  }

  of(name: string): Verdict {
    return this.#known.get(name) ?? this.#learn(name);
  }

  get size(): number {
    return this.#known.size;
  }

  #learn(name: string): Verdict {
    const verdict = this.#judge(name);
    if (name.length > LONGEST_NAME) return verdict;
    if (this.#known.size >= MOST_NAMES) this.#known.clear();
    // A copy: a name cut out of a head would keep all of that head's text in memory.
    this.#known.set(Buffer.from(name, 'latin1').toString('latin1'), verdict);
    return verdict;
  }
}
