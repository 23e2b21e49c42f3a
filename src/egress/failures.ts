import { EgressError } from './egress.ts';

/** What the codes of Node and OpenSSL say to a person. */
const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name does not resolve',
  EAI_AGAIN: 'the name cannot be resolved now',
  ECONNREFUSED: 'nothing accepts connections there',
  ECONNRESET: 'closed the connection without an answer',
  EPIPE: 'closed the connection without an answer',
  ETIMEDOUT: 'cannot be reached',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  CERT_HAS_EXPIRED: 'its certificate has expired',
};

const CERTIFICATE = /^(?:CERT|UNABLE|DEPTH|SELF|CRL|INVALID|HOSTNAME|ERR_TLS_CERT)_/;

/** The reason without what the other side sent, and without our own request. */
export function describe(error: NodeJS.ErrnoException): string {
  if (error instanceof EgressError) return error.message;
  const { code } = error;
  if (typeof code !== 'string') return 'the call failed';
  return `${WORDS[code] ?? guess(code)} (${code})`;
}

function guess(code: string): string {
  if (CERTIFICATE.test(code)) return 'its certificate cannot be verified: `egress.ca` names the authority of your own';
  if (code.startsWith('HPE_')) return 'did not answer in HTTP';
  return code.startsWith('ERR_SSL_') || code === 'EPROTO' ? 'does not speak TLS as we do' : 'the call failed';
}
