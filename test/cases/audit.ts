/**
 * For every check of the audit, configurations where it is met, open and not applicable. `# met` and `# open` stand on the lines that
 * decide; exactly these must be found. Sections that a text leaves out are added behind it. Files are those of `src/audit/checks.test.ts`.
 */
export interface AuditCase {
  readonly check: string;
  readonly status: 'met' | 'open' | 'not applicable';
  readonly text: string;
  /** The audit is made so many days from now. */
  readonly days?: number;
  /** Words of a message. */
  readonly says?: RegExp;
  /** Modes of files beside the configuration; `portcullis.yaml` is itself. */
  readonly modes?: Readonly<Record<string, number>>;
}

type Rest = Omit<AuditCase, 'check' | 'status' | 'text'>;

const one =
  (status: AuditCase['status']) =>
  (check: string, text: string, rest: Rest = {}): AuditCase => ({ check, status, text, ...rest });
const met = one('met');
const open = one('open');
const none = one('not applicable');

const JWT = 'authentication: { a: { jwt: { issuer: https://id.example.com, audience: api, algorithms: [ES256] } } }\n';
const jwt = (rest: string) => `authentication:\n  a:\n    jwt:\n      issuer: https://id.example.com\n${rest}`;
const INTROSPECTION = (rest: string, secret = '"${CLIENT_SECRET}"', mark = '') => `authentication:
  a:
    introspection:
      endpoint: https://id.example.com/introspect
      client: { id: gateway, secret: ${secret} }${mark}
${rest}`;
const KEYS = (rest: string) => `authentication:\n  a:\n    api-key:\n${rest}`;
const MTLS = (rest: string) => `authentication:\n  a:\n    mtls:${rest}`;
const route = (rest: string, path = '/x', methods = '[GET]') =>
  `routes:\n  - path: ${path}\n    service: s\n    methods: ${methods}\n    authentication: none\n${rest}`;
const known = (rest: string, path = '/x', methods = '[GET]') =>
  `${JWT}routes:\n  - path: ${path}\n    service: s\n    methods: ${methods}\n    authentication: [a]\n${rest}`;
/** A route on one line, where what is missing has no line of its own. */
const line = (methods: string, rest = '') =>
  `routes:\n  - { path: /x, service: s, methods: ${methods}, authentication: none${rest} }`;
const listener = (rest: string, address = '127.0.0.1:8443') => `listeners:\n  public:\n    address: ${address}\n${rest}`;
const service = (rest: string) => `services:\n  s:\n    targets: [http://127.0.0.1:1]\n${rest}`;
const TLS = 'tls: { certificate: tls/api.pem, key: tls/api.key }';

const authentication: AuditCase[] = [
  met('unauthenticated-writes', `${JWT}routes:\n  - { path: /x, service: s, methods: [POST], authentication: [a] } # met`),
  open(
    'unauthenticated-writes',
    'routes:\n  - path: /x\n    service: s\n    methods: [GET, DELETE]\n    authentication: none # open',
    {
      says: /^anybody may DELETE$/,
    },
  ),
  open('unauthenticated-writes', 'routes:\n  - path: /x\n    service: s\n    authentication: none # open', {
    says: /POST, PUT, PATCH, DELETE/,
  }),
  none('unauthenticated-writes', route('')),
  met(
    'unauthenticated-reads',
    'authentication: { a: { api-key: { keys: keys.yaml } } }\nroutes:\n  - path: /x\n    service: s\n    methods: [GET]\n    authentication: [a] # met',
  ),
  open('unauthenticated-reads', `${line('[GET]')} # open`),
  open('unauthenticated-reads', `${line('[REPORT, QUERY]')} # open`, { says: /REPORT, QUERY/ }),
  none('unauthenticated-reads', line('[PUT]')),
  met('jwt-algorithms', jwt('      audience: x\n      algorithms: [RS256, ES256, RS256, RS256] # met')),
  open(
    'jwt-algorithms',
    jwt('      audience: x\n      algorithms:\n        - RS256 # open\n        - PS256\n        - ES256\n        - EdDSA'),
  ),
  none('jwt-algorithms', INTROSPECTION('      audience: x')),
  met('token-audience', INTROSPECTION('      audience: [x, y] # met'), { says: /x or y/ }),
  met('token-audience', jwt('      audience: any # met\n      algorithms: [ES256]')),
  open('token-audience', INTROSPECTION('      audience: any # open')),
  none('token-audience', KEYS('      keys: keys.yaml')),
  met(
    'token-lifetime',
    'authentication:\n  a:\n    jwt: # met\n      { issuer: https://id.example.com, audience: x, algorithms: [ES256] }',
  ),
  met('token-lifetime', jwt('      audience: x\n      algorithms: [ES256]\n      max-lifetime: 1h # met'), { says: /1h/ }),
  open('token-lifetime', jwt('      audience: x\n      algorithms: [ES256]\n      max-lifetime: 25h # open')),
  none('token-lifetime', KEYS('      keys: keys.yaml')),
  met('token-revocation', INTROSPECTION('      audience: x\n      cache: { active: 60s } # met')),
  open('token-revocation', INTROSPECTION('      audience: x\n      cache:\n        active: 61s # open')),
  none('token-revocation', JWT),
  met('clock-skew', INTROSPECTION('      audience: x\n      clock-skew: 1m # met')),
  open('clock-skew', INTROSPECTION('      audience: x\n      clock-skew: 5m # open')),
  open('clock-skew', jwt('      audience: x\n      algorithms: [ES256]\n      clock-skew: 2h # open')),
  none('clock-skew', KEYS('      keys: keys.yaml')),
  met('key-expiry', KEYS('      keys: keys.yaml # met')),
  open('key-expiry', KEYS('      header: x-key\n      keys: endless.yaml # open'), { says: /^1 key without an end: for-ever$/ }),
  none('key-expiry', JWT),
  met(
    'client-certificate-rules',
    `${listener(`    ${TLS}\n    client-certificates: { ca: tls/ca.pem }\n`)}${MTLS('\n      allow:\n        - dns: a.example.com # met')}`,
  ),
  open(
    'client-certificate-rules',
    `${listener(`    ${TLS}\n    client-certificates: { ca: tls/ca.pem }\n`)}${MTLS(' {} # open')}`,
  ),
  none('client-certificate-rules', JWT),
  met('credential-guessing', known('    limits: [{ rate: 600/minute, by: address }] # met')),
  open('credential-guessing', known('    limits: [{ rate: 20/second, by: address }] # open'), { says: /1200 times a minute/ }),
  open('credential-guessing', known('    limits: [{ rate: 1/second, by: address, shadow: true }] # open')),
  open('credential-guessing', known('    limits: [{ rate: 1/second, by: caller }] # open')),
  open('credential-guessing', known('    limits: [{ rate: 1/second, by: [address, caller] }] # open')),
  open('credential-guessing', known('    limits: [{ rate: 1/second, by: [address, header:x-device] }] # open')),
  none('credential-guessing', route('')),
  met('csrf', route('    csrf: { origins: https://a.example.com } # met')),
  open('csrf', route('    csrf: off # open')),
];

const authorisation: AuditCase[] = [
  met('route-permission', known('    authorize: { scopes: [x] } # met')),
  met('route-permission', known('    authorize: { any-of: [{ scopes: [x] }, { all-of: [{ roles: [y] }] }] } # met')),
  met('route-permission', known('    authorize: { owner: { parameter: id } } # met')),
  open('route-permission', known('', '/x # open')),
  open('route-permission', known('    authorize: { addresses: [10.0.0.0/8] } # open')),
  open('route-permission', known('    authorize: { any-of: [{ scopes: [x] }, { addresses: [10.0.0.0/8] }] } # open')),
  none('route-permission', route('')),
  met('object-owner', known('    authorize: { owner: { parameter: id } } # met', '/x/{id}')),
  met(
    'object-owner',
    known('    authorize:\n      any-of: [{ owner: { parameter: id } }, { roles: [support] }] # met', '/x/{id}'),
  ),
  open('object-owner', known('    authorize: { scopes: [x] } # open', '/x/{id}/y'), { says: /^\{id\} names an object/ }),
  open('object-owner', known('    authorize: { any-of: [{ owner: { parameter: id } }, { scopes: [x] }] } # open', '/x/{id}'), {
    says: /way through/,
  }),
  open(
    'object-owner',
    known('    authorize: { roles: [x], any-of: [{ owner: { parameter: id } }, { scopes: [x] }] } # open', '/x/{id}'),
  ),
  open('object-owner', known('    authorize: { any-of: [{ all-of: [{ scopes: [x] }] }, { roles: [y] }] } # open', '/x/{id}')),
  open('object-owner', known('    authorize: { roles: [x] } # open', '/x/*')),
  open('object-owner', known('', '/x/** # open')),
  none('object-owner', known('    authorize: { scopes: [x] }')),
  none('object-owner', route('', '/x/{id}')),
  met(
    'function-level',
    known(
      '    authorize: { scopes: [x:write] } # met\n  - { path: /x, service: s, methods: [GET], authentication: [a], authorize: { scopes: [x:read] } }',
      '/x',
      '[POST]',
    ),
  ),
  open('function-level', known('', '/x # open', '[POST]')),
  open('function-level', known('    authorize: { scopes: [x] }', '/x', '[GET, POST] # open'), {
    says: /reading ask for the same/,
  }),
  open(
    'function-level',
    known(
      '    authorize: { scopes: [x] } # open\n  - { path: "/x/{key}", service: s, methods: [GET], authentication: [a], authorize: { scopes: [x] } }',
      '"/x/{id}"',
      '[DELETE]',
    ),
    {
      says: /the route that reads/,
    },
  ),
  none('function-level', known('')),
];

const transport: AuditCase[] = [
  met('listener-tls', listener(`    ${TLS} # met`, '0.0.0.0:8443')),
  met('listener-tls', listener('    tls: none\n    redirect-to-https: true # met', '0.0.0.0:8080')),
  open('listener-tls', listener('    tls: none # open', '0.0.0.0:8080')),
  open('listener-tls', 'listeners: { local: { address: 127.0.0.1:8081 }, public: { address: "[::]:8080", tls: none } } # open'),
  none('listener-tls', ''),
  met(
    'https-redirect',
    `${listener(`    ${TLS}\n`)}  plain:\n    address: 0.0.0.0:8080\n    tls: none\n    redirect-to-https: 8443 # met`,
  ),
  open('https-redirect', `${listener(`    ${TLS}\n`)}  plain: # open\n    address: 0.0.0.0:8080\n    tls: none`),
  none('https-redirect', `${listener(`    ${TLS}\n`)}  plain: { address: 127.0.0.1:8080 }`),
  met('certificate-authority', listener('    tls:\n      - certificate: tls/api.pem # met\n        key: tls/api.key')),
  open('certificate-authority', listener('    tls: self-signed # open')),
  open(
    'certificate-authority',
    listener(
      '    tls:\n      - { certificate: tls/api.pem, key: tls/api.key } # met\n      - certificate: tls/ca.pem # open\n        key: tls/ca.key',
    ),
    {
      says: /signed by itself/,
    },
  ),
  open('certificate-authority', 'admin:\n  address: 127.0.0.1:9443\n  tls: self-signed # open'),
  none('certificate-authority', ''),
  met('certificate-days', listener('    tls:\n      certificate: tls/api.pem # met\n      key: tls/api.key')),
  open('certificate-days', listener('    tls:\n      certificate: tls/api.pem # open\n      key: tls/api.key'), {
    days: 31,
    says: /expired/,
  }),
  open('certificate-days', listener('    tls:\n      certificate: tls/api.pem # open\n      key: tls/api.key'), {
    days: 25,
    says: /^4 days left$/,
  }),
  none('certificate-days', listener('    tls: self-signed')),
  met('hsts', listener(`    ${TLS}\n    hsts: { max-age: 180d } # met`)),
  met('hsts', 'listeners:\n  public: # met\n    address: 127.0.0.1:8443\n    tls: self-signed'),
  open('hsts', listener(`    ${TLS}\n    hsts: { max-age: 1d } # open`)),
  open('hsts', listener(`    ${TLS}\n    hsts: false # open`)),
  none('hsts', ''),
  met('private-mtls', listener(`    ${TLS}\n    client-certificates: { ca: tls/ca.pem } # met`, '10.1.2.3:8443')),
  open('private-mtls', `listeners:\n  public: # open\n    address: 192.168.1.1:8443\n    ${TLS}`),
  none('private-mtls', listener(`    ${TLS}`, '0.0.0.0:8443')),
  met('revocation-lists', listener(`    ${TLS}\n    client-certificates:\n      ca: tls/ca.pem\n      crl: tls/ca.crl # met`)),
  open('revocation-lists', listener(`    ${TLS}\n    client-certificates: { ca: tls/ca.pem } # open`)),
  open(
    'revocation-lists',
    listener(
      '    tls:\n      - certificate: tls/api.pem\n        key: tls/api.key\n        client-certificates: { ca: tls/ca.pem } # open',
    ),
  ),
  none('revocation-lists', listener(`    ${TLS}`)),
  met('service-tls', 'services:\n  s: https://orders.example.com # met'),
  open(
    'service-tls',
    'services:\n  s:\n    targets:\n      - https://orders.example.com # met\n      - http://orders.internal:8080 # open\n      - http://localhost:9001 # met\n      - http://[::1]:9001 # met\n      - url: http://10.0.0.5 # open',
  ),
  met('service-verification', 'services:\n  s: https://orders.example.com # met'),
  open('service-verification', 'services:\n  s:\n    targets: [https://orders.example.com]\n    tls: { verify: false } # open'),
  none('service-verification', ''),
  met('store-tls', 'store: rediss://redis.example.com:6380 # met'),
  met('store-tls', 'store: redis://127.0.0.1:6379 # met'),
  open('store-tls', 'store:\n  redis: redis://redis.example.com # open'),
  none('store-tls', 'store: memory'),
  met('egress-narrow', 'egress:\n  allow: [10.0.0.0/8] # met'),
  open('egress-narrow', 'egress:\n  allow:\n    - 10.0.0.0/8\n    - 0.0.0.0/0 # open'),
  open('egress-narrow', 'egress:\n  allow: [169.254.0.0/16] # open', { says: /credentials of machines/ }),
];

const rest: AuditCase[] = [
  met('secrets-in-clear', 'admin:\n  address: 127.0.0.1:9443\n  token: secret:ADMIN_TOKEN # met'),
  met('secrets-in-clear', 'store: redis://:${STORE_PASSWORD}@127.0.0.1 # met'),
  met('secrets-in-clear', INTROSPECTION('      audience: x', '"${CLIENT_SECRET}"', ' # met')),
  open('secrets-in-clear', 'admin:\n  address: 127.0.0.1:9443\n  token: 0123456789abcdefghijklmn # open'),
  open('secrets-in-clear', 'store: redis://me:sesame@127.0.0.1 # open'),
  open('secrets-in-clear', 'store:\n  redis: redis://127.0.0.1\n  password: &p sesame # open'),
  open('secrets-in-clear', INTROSPECTION('      audience: x', 'sesame', ' # open')),
  open('secrets-in-clear', 'admin:\n  address: 127.0.0.1:9443\n  token: "0123456789abcdef${ADMIN_TOKEN}" # open'),
  open('secrets-in-clear', 'store: redis://me:sesame${STORE_PASSWORD}@127.0.0.1 # open'),
  met('secrets-in-clear', "admin:\n  address: 127.0.0.1:9443\n  token: '${ADMIN_TOKEN}' # met"),
  none('secrets-in-clear', 'store: redis://127.0.0.1'),
  met('stray-keys', '# nothing but words\nstore: memory # met'),
  open('stray-keys', route('    response-headers: { x-upstream: "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc" } # open')),
  open('stray-keys', '# -----BEGIN PRIVATE KEY----- # open\nstore: memory'),
  met('secrets-store', 'secrets:\n  store: secrets.yaml # met'),
  open('secrets-store', 'secrets:\n  directory: folder # open'),
  none('secrets-store', ''),
  met('private-keys-closed', listener('    tls:\n      certificate: tls/api.pem\n      key: tls/api.key # met'), {
    modes: { 'tls/api.key': 0o640 },
  }),
  open('private-keys-closed', listener('    tls:\n      certificate: tls/api.pem\n      key: tls/api.key # open'), {
    modes: { 'tls/api.key': 0o644 },
  }),
  open(
    'private-keys-closed',
    'services:\n  s:\n    targets: [https://127.0.0.1:1]\n    tls:\n      certificate: tls/api.pem\n      key: tls/api.key # open',
    {
      modes: { 'tls/api.key': 0o604 },
    },
  ),
  none('private-keys-closed', listener('    tls: self-signed')),
  met('key-files-closed', KEYS('      keys: keys.yaml # met')),
  open('key-files-closed', KEYS('      keys: keys.yaml # open'), { modes: { 'keys.yaml': 0o642 } }),
  none('key-files-closed', JWT),
  met('records-closed', 'observe:\n  access: there.jsonl # met', { modes: { 'there.jsonl': 0o640 } }),
  open('records-closed', 'observe:\n  access: there.jsonl # open', { modes: { 'there.jsonl': 0o644 } }),
  none('records-closed', 'observe: { access: not-yet.jsonl }'),
  met('configuration-closed', 'store: memory # met', { modes: { 'portcullis.yaml': 0o644 } }),
  open('configuration-closed', 'store: memory # open', { modes: { 'portcullis.yaml': 0o664 } }),
];

const contract = (name: string, more = '', path = '/orders', methods = '[POST]') =>
  route(`    validate:\n      openapi: openapi/${name}.yaml${more}`, path, methods);
const validation: AuditCase[] = [
  met('request-contract', contract('closed', ' # met')),
  open('request-contract', `${line('[GET]')} # open`),
  open('request-contract', route('    validate: { types: [application/json] } # open'), { says: /but no contract/ }),
  open('request-contract', contract('closed', '\n      mode: off # open')),
  met('contract-enforced', route('    validate: { types: [application/json] } # met')),
  open('contract-enforced', route('    validate:\n      types: [application/json]\n      mode: report # open')),
  none('contract-enforced', ''),
  met('body-types', `${line('[POST]', ', validate: { types: [text/plain] }')} # met`),
  open('body-types', `${line('[QUERY]')} # open`),
  open('body-types', `${line('[PATCH]', ', validate: { mode: strict }')} # open`, { says: /every type/ }),
  none('body-types', route('')),
  met('closed-objects', contract('closed', ' # met')),
  open('closed-objects', contract('loose', ' # open'), { says: /POST \/orders body\.lines\[\], POST \/orders body\.address$/ }),
  none('closed-objects', contract('closed', '', '/orders', '[GET]')),
  met('contract-covers-route', contract('closed', ' # met')),
  open('contract-covers-route', contract('closed', '', '/orders', '[GET, PUT] # open'), { says: /declare PUT here/ }),
  open('contract-covers-route', contract('closed', ' # open', '/elsewhere'), { says: /nothing under/ }),
  none('contract-covers-route', ''),
  met('deprecated-operations', contract('closed', ' # met')),
  open('deprecated-operations', contract('loose', ' # open', '/**'), { says: /POST \/old$/ }),
  none('deprecated-operations', ''),
  met('body-limit', route('    body: 10MiB # met')),
  open('body-limit', route('    body: 11MiB # open'), { says: /11 MiB/ }),
];

const logging: AuditCase[] = [
  met('access-record', 'observe:\n  access: stdout # met'),
  open('access-record', 'observe:\n  access: "off" # open'),
  met('record-file', 'observe:\n  access: access.jsonl # met'),
  open('record-file', 'store: memory # open'),
  none('record-file', 'observe: { access: "off" }'),
  met('record-rotation', 'observe:\n  access: a.jsonl\n  rotate: { keep: 3 } # met'),
  open('record-rotation', 'observe:\n  access: a.jsonl\n  rotate: false # open'),
  none('record-rotation', ''),
  met('security-events', 'observe:\n  events: events.jsonl # met'),
  met('security-events', 'observe:\n  events: stdout # met'),
  open('security-events', 'observe:\n  events: "off" # open'),
  open('security-events', 'observe: # open\n  access: access.jsonl'),
  met('personal-data', 'observe:\n  redact: { parameters: [email] } # met'),
  met('personal-data', 'observe:\n  redact: { address: network } # met'),
  open('personal-data', 'observe:\n  redact: { subject: keep } # open'),
  none('personal-data', 'observe: { access: "off", events: "off" }'),
  met('metrics', 'admin:\n  address: 127.0.0.1:9443 # met'),
  open('metrics', 'store: memory # open'),
];

const limit = (rest: string) => `limits:\n  l:\n    rate: 10/minute\n    by: address\n${rest}`;
const limits: AuditCase[] = [
  met('limit-by-address', route('    limits: [{ rate: 1/second, by: [route, address] }] # met')),
  open('limit-by-address', route('    limits: [{ rate: 1/second, by: route }] # open')),
  open('limit-by-address', `${limit('    shadow: true\n')}${route('    limits: [l] # open')}`),
  met('limit-by-caller', known('    limits: [{ rate: 1/second, by: claim:tenant }] # met')),
  open('limit-by-caller', known('    limits: [{ rate: 1/second, by: address }] # open')),
  met('limit-by-caller', known('    limits: [{ rate: 1/second, by: [caller, route] }] # met')),
  open('limit-by-caller', known('    limits: [{ rate: 1/second, by: [caller, address] }] # open')),
  none('limit-by-caller', route('')),
  met('business-flows', known('    limits: [{ rate: 10/second, by: caller }] # met', '/x', '[POST]')),
  open('business-flows', known('    limits: [{ rate: 11/second, by: caller }] # open', '/x', '[POST]')),
  open('business-flows', `${line('[PUT]')} # open`, { says: /without end/ }),
  none('business-flows', route('')),
  met('limits-enforced', 'limits:\n  l: { rate: 1/second, by: address } # met'),
  open(
    'limits-enforced',
    `${limit('    shadow: true # open\n')}${route('    limits:\n      - rate: 1/second # met\n        by: address\n      - { rate: 2/second, by: route, shadow: true } # open')}`,
  ),
  none('limits-enforced', ''),
  met('limits-without-store', `store: redis://127.0.0.1\n${limit('    when-store-fails: closed # met')}`),
  open('limits-without-store', `store: redis://127.0.0.1\n${limit('    when-store-fails: open # open')}`),
  none('limits-without-store', limit('    when-store-fails: open')),
  met('concurrency', route('    concurrency: { max: 5 } # met')),
  met('concurrency', `concurrency: { max: 100 } # met\n${line('[GET]')}`),
  met('concurrency', service('    concurrency: { max: 100 } # met')),
  open('concurrency', `${line('[GET]')} # open`),
  met('listener-bounds', listener('    bounds: { head-time: 30s } # met')),
  open('listener-bounds', listener('    bounds:\n      head-time: 31s # open'), { says: /head-time is 31s/ }),
  met('service-timeouts', 'services:\n  s: http://127.0.0.1:1 # met'),
  open('service-timeouts', service('    timeout: 10m # open')),
  met('retries-bounded', service('    retries: { tries: 1 } # met')),
  open('retries-bounded', service('    retries:\n      tries: 5 # open')),
  open('retries-bounded', service('    retries: { budget: 80% } # open')),
];

const BY_ID = 'routes:\n  - path: "/x/{id}"\n    methods: [GET]\n    service: s\n    authentication: none';
const waf: AuditCase[] = [
  met('waf', `waf:\n  mode: block # met\n${line('[POST]')}`),
  met('waf', `waf: # met\n  paranoia: 2\n${BY_ID}`),
  met('waf', `${BY_ID}\n    waf: {} # met`),
  met('waf', `waf: { mode: detect }\n${BY_ID}\n    waf: { mode: block } # met`),
  open('waf', 'routes:\n  - { path: "/x/{id}", methods: [GET], service: s, authentication: none } # open', {
    says: /no firewall/,
  }),
  open('waf', `waf: { mode: "off" } # open\n${line('[POST]')}`, { says: /of the section `waf` is off/ }),
  open('waf', `waf:\n  rules: [builtin]\n  mode: detect # open\n${BY_ID}\n    waf: { paranoia: 2 }`, {
    says: /section `waf` is detect/,
  }),
  open('waf', `waf: { mode: block }\n${BY_ID}\n    waf:\n      paranoia: 1\n      mode: detect # open`, {
    says: /^the mode of the route is detect$/,
  }),
  open('waf', `waf: { mode: block }\n${BY_ID}\n    waf: { mode: "off" } # open`),
  none('waf', route('')),
  met('waf-threshold', `waf:\n  threshold: 10 # met\n${BY_ID}`),
  met('waf-threshold', `waf: {} # met\n${BY_ID}\n    waf: { threshold: 5 } # met`),
  open('waf-threshold', `waf:\n  threshold: 11 # open\n${BY_ID}`, { says: /^a request may score 10$/ }),
  open('waf-threshold', `waf: { mode: "off", threshold: 5 } # met\n${BY_ID}\n    waf: { mode: block, threshold: 50 } # open`),
  none('waf-threshold', `waf: { mode: "off", threshold: 50 }\n${BY_ID}`),
  none('waf-threshold', route('')),
  met('waf-exceptions', `waf: { mode: block } # met\n${BY_ID}`),
  met(
    'waf-exceptions',
    `waf:\n  exclude:\n    - id: 942100 # met\n    - id: 942100-942199 # met\n      target: ARGS\n    - tag: attack-sqli # met\n      target: ARGS:comment\n  allow:\n    - addresses: [192.0.2.0/24] # met\n      headers: { user-agent: monitor }\n    - paths: [/files/**] # met\n${BY_ID}`,
  ),
  open('waf-exceptions', `waf:\n  exclude:\n    - id: 942100 # met\n    - tag: attack-sqli # open\n${BY_ID}`, {
    says: /^all rules with the tag attack-sqli are left out$/,
  }),
  open('waf-exceptions', `${BY_ID}\n    waf:\n      exclude:\n        - id: 942000-942999 # open`),
  open('waf-exceptions', `waf:\n  exclude:\n    - tag: OWASP_CRS # open\n      target: ARGS\n${BY_ID}`, {
    says: /look at nothing in ARGS/,
  }),
  open('waf-exceptions', `waf:\n  exclude:\n    - id: 949110 # open\n    - id: 1090010 # open\n${BY_ID}`, {
    says: /refuse by the score/,
  }),
  open('waf-exceptions', `waf:\n  allow:\n    - headers: { x-internal: "1" } # open\n      paths: [/x]\n${BY_ID}`, {
    says: /x-internal/,
  }),
  open(
    'waf-exceptions',
    `waf:\n  allow:\n    - methods: [GET] # open\n    - paths: [/**] # open\n    - addresses: [0.0.0.0/0] # open\n${BY_ID}`,
  ),
  none('waf-exceptions', route('')),
  met('waf-data', `waf: { mode: detect } # met\n${BY_ID}`),
  open('waf-data', `waf:\n  mode: block\n  data: true # open\n${BY_ID}`),
  none('waf-data', route('')),
];

const headers: AuditCase[] = [
  met('trusted-proxies', 'trusted-proxies: [10.0.0.0/8, 192.0.2.1] # met'),
  open('trusted-proxies', 'trusted-proxies:\n  - 10.0.0.5\n  - 0.0.0.0/0 # open'),
  open('trusted-proxies', 'trusted-proxies: ["::/0"] # open'),
  open('trusted-proxies', 'trusted-proxies: ["::ffff:0.0.0.0/96"] # open'),
  met('trusted-proxies', 'trusted-proxies: ["2001:db8::/32", "::ffff:10.0.0.0/104"] # met'),
  none('trusted-proxies', 'trusted-proxies: []'),
  met('forged-headers', 'services:\n  s: http://127.0.0.1:1 # met'),
  open('forged-headers', service('    headers: { keep: [x-user] } # open')),
  met('credentials-kept', 'services:\n  s: http://127.0.0.1:1 # met'),
  open('credentials-kept', service('    credentials: forward # open')),
  met('cors-origins', route('    cors: { origins: [https://a.example.com] } # met')),
  open('cors-origins', route('    cors:\n      origins: "*" # open')),
  open('cors-origins', route('    cors: { origins: "https://*.example.com", credentials: true } # open')),
  open('cors-origins', route('    cors: { origins: "null" } # open')),
  open('cors-origins', route('    cors: { origins: [https://a.example.com, http://b.example.com] } # open')),
  none('cors-origins', route('')),
  met('websocket-origins', route('    origins: [https://a.example.com] # met')),
  open('websocket-origins', route('    origins: ["*"] # open')),
  none('websocket-origins', route('')),
  met('security-headers', route('    response-headers: { content-security-policy: keep } # met')),
  open('security-headers', route('    response-headers:\n      X-Content-Type-Options: remove # open')),
  open('security-headers', route('    response-headers: { content-security-policy: "default-src *" } # open'), { says: /lax/ }),
  met('server-disclosure', route('    response-headers: { server: portcullis } # met')),
  open('server-disclosure', route('    response-headers:\n      x-a: b\n      Server: keep # open')),
];

const TOKEN = '0123456789abcdefghijklmnopqrstuv';
const admin: AuditCase[] = [
  met('admin-access', 'admin:\n  address: 127.0.0.1:9443 # met'),
  met('admin-access', `admin:\n  address: 10.0.0.5:9443 # met\n  ${TLS}\n  token: ${TOKEN}`),
  open('admin-access', `admin:\n  ${TLS}\n  token: ${TOKEN}\n  address: 0.0.0.0:9443 # open`),
  none('admin-access', ''),
  met('admin-token', `admin:\n  address: 127.0.0.1:9443\n  token: ${TOKEN} # met`),
  open('admin-token', 'admin:\n  address: 127.0.0.1:9443\n  token: 0123456789abcdef # open'),
  open('admin-token', 'admin:\n  address: 127.0.0.1:9443\n  token: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa # open'),
  none('admin-token', 'admin: { address: 127.0.0.1:9443 }'),
  met('catch-all-routes', 'routes:\n  - path: /x/** # met\n    service: s\n    authentication: none'),
  open('catch-all-routes', 'routes:\n  - path: /** # open\n    service: s\n    authentication: none'),
  met('route-methods', 'routes:\n  - path: /x\n    service: s\n    authentication: none\n    methods: [GET] # met'),
  open('route-methods', 'routes:\n  - path: /x # open\n    service: s\n    authentication: none'),
  met('unused-definitions', 'services:\n  s: http://127.0.0.1:1 # met'),
  open(
    'unused-definitions',
    'services:\n  s: http://127.0.0.1:1 # met\n  old: http://127.0.0.1:2 # open\nlimits:\n  l: { rate: 1/second, by: address } # open\nauthentication:\n  a: { api-key: { keys: keys.yaml } } # open',
  ),
];

const accept = (text: string, reason = 'reason: It is the price list') =>
  `audit:\n  accept:\n    - check: ${text}\n      ${reason}\n`;
const exceptions: AuditCase[] = [
  met('exceptions', `${accept('unauthenticated-reads # met\n      route: /x')}${route('')}`),
  open('exceptions', accept('unauthenticated-read # open\n      route: /x'), { says: /did you mean "unauthenticated-reads"/ }),
  open('exceptions', `${accept('unauthenticated-reads\n      route: [/x, /y] # open')}${route('')}`, { says: /route \/y/ }),
  open('exceptions', `${accept('unauthenticated-reads # open')}${route('')}`, { says: /accepts nothing/ }),
  open('exceptions', `${accept('unauthenticated-reads\n      route: /x\n      until: 2026-01-31 # open')}${route('')}`),
  open('exceptions', accept('exceptions # open'), { says: /cannot accept/ }),
  none('exceptions', ''),
];

/** All of them. */
export const auditCases: readonly AuditCase[] = [
  ...authentication,
  ...authorisation,
  ...transport,
  ...rest,
  ...validation,
  ...logging,
  ...limits,
  ...waf,
  ...headers,
  ...admin,
  ...exceptions,
];
