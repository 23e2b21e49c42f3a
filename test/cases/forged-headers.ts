/**
 * Names by which the gateway, other gateways, proxies, CDNs and clouds speak to services. None of them may reach a service
 * with the client's value. Lower case, as in a header list; tests make the other spellings.
 */
export const forgedNames: readonly string[] = [
  // ours
  'x-request-id', 'traceparent', 'tracestate', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-portcullis-caller',
  'x-portcullis-subject', 'x-portcullis-scopes', 'x-portcullis-anything', 'x-portcullis',
  // addresses
  'forwarded', 'x-forwarded', 'x-forwarded-by', 'x-forwarded-port', 'x-forwarded-server', 'x-forwarded-prefix', 'x-forwarded-scheme', 'x-forwarded-ssl',
  'x-forwarded-uri', 'x-forwarded-path', 'x-forwarded-method', 'x-forwarded-client-ip', 'x-real-ip', 'x-client-ip', 'x-cluster-client-ip', 'client-ip',
  'true-client-ip', 'cf-connecting-ip', 'cf-connecting-ipv6', 'cf-ipcountry', 'cf-ray', 'cf-visitor', 'cf-worker', 'cf-access-jwt-assertion',
  'cf-access-authenticated-user-email', 'fastly-client-ip', 'fastly-ssl', 'fastly-ff', 'fly-client-ip', 'x-originating-ip', 'x-remote-ip', 'x-remote-addr',
  'remote-addr', 'x-proxyuser-ip', 'wl-proxy-client-ip', 'proxy-client-ip', 'x-azure-clientip', 'x-azure-socketip', 'x-appengine-user-ip', 'x-vercel-forwarded-for',
  'x-nf-client-connection-ip', 'incap-client-ip', 'x-sucuri-clientip', 'akamai-client-ip', 'x-akamai-edgescape', 'x-original-forwarded-for', 'do-connecting-ip',
  // how the client came
  'front-end-https', 'x-url-scheme', 'x-scheme', 'x-host', 'x-http-host-override', 'x-original-host', 'x-script-name',
  // other targets and methods
  'x-original-url', 'x-original-uri', 'x-rewrite-url', 'x-rewrite-uri', 'x-override-url', 'x-http-method-override', 'x-http-method', 'x-method-override',
  'x-original-method', 'request-uri', 'base-url', 'x-http-destinationurl',
  // what proxies order each other
  'proxy', 'proxy-authorization', 'proxy-connection', 'proxy-authenticate', 'proxy-user', 'x-accel-redirect', 'x-accel-buffering', 'x-sendfile', 'x-sendfile-type',
  'x-envoy-original-path', 'x-envoy-internal', 'x-envoy-external-address', 'x-envoy-retry-on', 'x-middleware-subrequest', 'x-kong-upstream-latency',
  // certificates
  'x-forwarded-client-cert', 'x-ssl-client-cert', 'x-ssl-client-verify', 'x-ssl-client-s-dn', 'ssl-client-cert', 'ssl-client-verify', 'x-client-cert', 'client-cert',
  'client-cert-chain', 'x-tls-client-cert', 'x-arr-clientcert', 'x-amzn-mtls-clientcert', 'x-client-verify', 'x-client-dn',
  // identity
  'x-user', 'x-user-id', 'x-userid', 'x-username', 'x-user-email', 'x-userinfo', 'x-consumer', 'x-consumer-id', 'x-consumer-username', 'x-consumer-custom-id',
  'x-consumer-groups', 'x-anonymous-consumer', 'x-credential-identifier', 'x-authenticated-userid', 'x-authenticated-user', 'x-authenticated-scope',
  'x-authenticated-groups', 'x-auth-request-user', 'x-auth-request-email', 'x-auth-request-groups', 'x-auth-request-access-token', 'x-auth-user', 'x-auth-roles',
  'x-scopes', 'x-scope', 'x-roles', 'x-role', 'x-groups', 'x-permissions', 'x-jwt-payload', 'x-jwt-claim-sub', 'x-jwt-assertion', 'x-claim-sub', 'x-id-token',
  'remote-user', 'remote-groups', 'remote-email', 'remote-name', 'x-remote-user', 'x-remote-group', 'x-remote-extra-scopes', 'impersonate-user', 'impersonate-group',
  'x-webauth-user', 'x-forwarded-user', 'x-forwarded-email', 'x-forwarded-groups', 'x-forwarded-access-token', 'x-forwarded-preferred-username', 'x-goog-authenticated-user-email',
  'x-goog-iap-jwt-assertion', 'x-ms-client-principal', 'x-ms-client-principal-id', 'x-amzn-oidc-data', 'x-amzn-oidc-identity', 'x-endpoint-api-userinfo',
  'x-apigateway-api-userinfo', 'tailscale-user-login', 'x-pomerium-jwt-assertion', 'x-vouch-user', 'x-authentik-username', 'oidc-claim-sub', 'sm-user', 'iv-user', 'x-scope-orgid',
  'x-email', 'x-principal', 'x-subject', 'x-identity', 'x-admin',
  // framing and one connection's own
  'connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'http2-settings', 'content-length', 'expect', 'host',
];

/** Names that clients rightly send: they must arrive, value and all. */
export const honestNames: readonly string[] = [
  'accept', 'accept-encoding', 'accept-language', 'authorization', 'cache-control', 'content-encoding', 'content-language', 'content-type', 'content-md5', 'cookie',
  'date', 'dnt', 'dpop', 'from', 'idempotency-key', 'if-match', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'origin', 'pragma', 'priority',
  'range', 'referer', 'sec-ch-ua', 'sec-fetch-mode', 'sec-websocket-key', 'sec-websocket-protocol', 'signature', 'soapaction', 'upgrade-insecure-requests',
  'user-agent', 'via', 'prefer', 'cdn-loop', 'api-version', 'apikey', 'x-api-key', 'x-api-version', 'x-auth-token', 'x-access-token', 'x-amz-date', 'x-amz-target', 'x-b3-traceid',
  'x-client-id', 'x-client-version', 'x-correlation-id', 'x-csrf-token', 'x-custom', 'x-goog-api-key', 'x-grpc-web', 'x-hub-signature-256', 'x-ms-client-request-id', 'x-ms-version',
  'x-requested-with', 'x-stripe-signature', 'x-tenant', 'x-tenant-id', 'x-user-agent', 'x-xsrf-token', 'x-github-event', 'x-device-id', 'x-app-version', 'grpc-timeout', 'connect-protocol-version',
];

/** Fields of a service's answer that must not reach the client. */
export const hiddenInAnswers: readonly string[] = [
  'server', 'x-powered-by', 'x-aspnet-version', 'x-aspnetmvc-version', 'alt-svc', 'x-request-id', 'x-accel-redirect', 'x-accel-expires', 'x-sendfile', 'x-envoy-upstream-service-time',
  'x-portcullis-caller', 'connection', 'keep-alive', 'proxy-authenticate', 'proxy-connection', 'proxy-authentication-info', 'te', 'trailer', 'transfer-encoding', 'content-length', 'upgrade',
  'http2-settings',
];

/** Fields of a service's answer that must. */
export const shownInAnswers: readonly string[] = [
  'accept-ranges', 'age', 'allow', 'cache-control', 'content-disposition', 'content-encoding', 'content-language', 'content-range', 'content-security-policy', 'content-type', 'date', 'etag',
  'expires', 'grpc-status', 'last-modified', 'link', 'location', 'retry-after', 'set-cookie', 'strict-transport-security', 'traceparent', 'vary', 'via', 'www-authenticate', 'x-custom',
  'x-frame-options', 'x-ratelimit-remaining', 'ratelimit', 'access-control-allow-origin', 'x_legacy', 'sec-websocket-accept',
];
