import { constants } from 'node:crypto';

/**
 * What we speak: Mozilla's "intermediate" profile without its finite-field suites, so every suite is ECDHE with an AEAD
 * (also RFC 9113 section 9.2.2: none of these is on HTTP/2's list of refused suites). AES-128 stands first because it
 * is enough and cheapest; a client without AES instructions gets ChaCha20 through SSL_OP_PRIORITIZE_CHACHA.
 */
const suites = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

/**
 * The hybrid group first: recorded traffic stays secret from a later quantum computer (OpenSSL 3.5, so Node 24). The slash
 * puts it in a class of its own: a client that can do it but sent a share for another group only is asked again, which is
 * OpenSSL's default too.
 */
const groups = 'X25519MLKEM768/X25519:prime256v1:secp384r1';

/**
 * Node switches client renegotiation on (SSL_OP_ALLOW_CLIENT_RENEGOTIATION, which OpenSSL 3 has off), so we must switch
 * it off: it costs the server a handshake for a few bytes, and HTTP/2 forbids it (RFC 9113 section 9.2.1).
 */
const secureOptions =
  constants.SSL_OP_NO_RENEGOTIATION |
  constants.SSL_OP_NO_COMPRESSION |
  constants.SSL_OP_CIPHER_SERVER_PREFERENCE |
  constants.SSL_OP_PRIORITIZE_CHACHA;

/** Options of every secure context of every listener. */
export const tlsPolicy = {
  minVersion: 'TLSv1.2',
  ciphers: suites.join(':'),
  ecdhCurve: groups,
  honorCipherOrder: true,
  secureOptions,
  /** Seconds that a session can be resumed. */
  sessionTimeout: 7200,
} as const;

/**
 * Where client certificates are in use no session is resumed: of one that is, OpenSSL keeps neither the chain nor what it was verified by.
 * Without tickets TLS 1.3 would keep sessions in the server's own store, which Node has switched off.
 */
export const noResumption = secureOptions | constants.SSL_OP_NO_TICKET;

/** `http/1.0` is there because curl --http1.0 offers nothing else, and no match is a fatal alert (RFC 7301 section 3.2). */
export const alpnProtocols = ['h2', 'http/1.1', 'http/1.0'];
