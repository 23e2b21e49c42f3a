import type { IntrospectionSnapshot } from './introspection/introspection.ts';
import type { KeySourceSnapshot } from './jwt/key-source.ts';
import type { MetricSource } from '../pipeline/stage.ts';

type Issuer = KeySourceSnapshot & { readonly issuer: string };
type Introspection = IntrospectionSnapshot & { readonly method: string };

/** What is measured of what identity depends on. Labels are issuers and names of the configuration. */
export function identitySources(
  issuers: () => readonly Issuer[],
  introspections: () => readonly Introspection[],
  now: () => number,
): MetricSource[] {
  const ofIssuers = (value: (one: Issuer) => number | undefined) => () => worstOf(issuers(), value);
  const ofMethods = (value: (one: Introspection) => number) => () =>
    introspections().map((one) => ({ labels: { method: one.method }, value: value(one) }));
  return [
    {
      name: 'portcullis_issuer_keys_age_seconds',
      help: 'Since when the keys of an issuer (JWKS) have not been read, in the worker where that is longest.',
      type: 'gauge',
      merge: 'max',
      collect: ofIssuers((one) => (one.read === undefined ? undefined : Math.max(0, now() - one.read) / 1000)),
    },
    {
      name: 'portcullis_issuer_keys_up',
      help: '1 when the keys of an issuer could be read the last time; 0 when not, in any worker.',
      type: 'gauge',
      merge: 'min',
      collect: () => worstOf(issuers(), (one) => (one.failure === undefined ? 1 : 0), Math.min),
    },
    {
      name: 'portcullis_issuer_keys',
      help: 'Keys of an issuer that are known, in the worker that knows the fewest.',
      type: 'gauge',
      merge: 'min',
      collect: () => worstOf(issuers(), (one) => one.keys, Math.min),
    },
    {
      name: 'portcullis_introspection_up',
      help: '1 when the authorization server answered the last question; 0 when not, in any worker.',
      type: 'gauge',
      merge: 'min',
      collect: ofMethods((one) => (one.failure === undefined ? 1 : 0)),
    },
    {
      name: 'portcullis_introspection_running',
      help: 'Questions about tokens that are under way.',
      type: 'gauge',
      collect: ofMethods((one) => one.asking),
    },
    {
      name: 'portcullis_introspection_cached',
      help: 'Answers about tokens that are remembered.',
      type: 'gauge',
      collect: ofMethods((one) => one.cached),
    },
  ];
}

/** An issuer may have two sources, as two methods may read its keys in different ways; a series stands once. */
function worstOf(
  issuers: readonly Issuer[],
  value: (one: Issuer) => number | undefined,
  worse: (a: number, b: number) => number = Math.max,
) {
  const found = new Map<string, number>();
  for (const one of issuers) {
    const said = value(one);
    if (said !== undefined) found.set(one.issuer, worse(found.get(one.issuer) ?? said, said));
  }
  return [...found].map(([issuer, said]) => ({ labels: { issuer }, value: said }));
}
