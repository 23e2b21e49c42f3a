import { type Refusal, refuse } from '../../exchange/decision.ts';
import type { ConnectionInfo, Exchange } from '../../exchange/exchange.ts';
import type { TlsStore } from './contexts.ts';
import type { Agreed } from './tls-door.ts';

/** What a listener knows of a connection besides: only where client certificates were asked for, or might have been. */
interface GuardedInfo extends ConnectionInfo {
  /** Of the policy under which it was made; absent: nothing was asked. */
  readonly policy?: string;
  /** The client has shown a bad certificate where it need not show any. */
  readonly refusal?: Refusal;
}

const NOTHING_ASKED = 'none';

/** Half a minute: who replaces a list has to fetch it first. */
const RETRY = ['retry-after', '30'];

/** The connection with what its handshake has come to. */
export function agreedInfo(info: ConnectionInfo, { policy, certificate, problem }: Agreed): ConnectionInfo {
  if (!policy.asks) return info;
  const refusal =
    problem === undefined
      ? undefined
      : refuse(problem.code, problem.reason, {
          room: 'listen',
          headers: problem.code.startsWith('certificate-crl-') ? RETRY : undefined,
        });
  return { ...info, certificate, policy: policy.key, refusal } as GuardedInfo;
}

/**
 * Why a request may not be served on its connection: its client has shown a bad certificate, or the host asks for other certificates than
 * the name of the handshake did. Without the second, whoever may reach one name reaches all (421, RFC 9110 section 15.5.20); clients do mix
 * names on one connection, because HTTP/2 lets them (RFC 9113 section 9.1.1).
 */
export function refusalOn(store: TlsStore, x: Exchange): Refusal | undefined {
  const { policy = NOTHING_ASKED, refusal } = x.connection as GuardedInfo;
  if (refusal !== undefined) return refusal;
  if (!store.asks || store.policyOf(x.head.host).key === policy) return undefined;
  return refuse('misdirected', 'the host asks for other client certificates than the name of the handshake');
}

/** Whether a connection was made under what is asked now. */
export function stillAgrees(store: TlsStore | undefined, info: ConnectionInfo): boolean {
  const { policy = NOTHING_ASKED, serverName = '' } = info as GuardedInfo;
  return store === undefined || store.policyOf(serverName).key === policy;
}

/** What has become of a connection's certificate; undefined: it is still good. `at-once`: what runs on the connection is cut off. */
export function reviewOf({ certificate }: ConnectionInfo): { refusal: Refusal; end: 'at-once' | 'when-idle' } | undefined {
  const code = certificate?.problem(Date.now());
  if (code === undefined) return undefined;
  const refusal = refuse(code, 'the certificate has lost its worth while the connection was open', { room: 'listen' });
  // A revoked key is in wrong hands. A certificate that has run out, or a list, is no reason to cut off what its owner has begun.
  const end = code === 'certificate-revoked' || code === 'certificate-untrusted' ? 'at-once' : 'when-idle';
  return { refusal, end };
}
