import type { Audited, AuditedRoute, Listener, Method, Service } from './audited.ts';
import type { Judgement, Subject, SubjectKind, Verdict } from './model.ts';

/** What a check gives for one subject: undefined where it is not asked of it, a list where it has several parts. */
export type Judged = Judgement | readonly Judgement[] | undefined;

type Judge = (audited: Audited) => Iterable<Verdict>;

function* verdicts(subject: Subject, judged: Judged): Iterable<Verdict> {
  if (judged === undefined) return;
  for (const judgement of 'ok' in judged ? [judged] : judged) yield { ...judgement, subject };
}

/** Asks each route. */
export function eachRoute(judge: (route: AuditedRoute, audited: Audited) => Judged): Judge {
  return function* (audited) {
    for (const route of audited.routes) yield* verdicts(route.subject, judge(route, audited));
  };
}

/** Asks each route that knows its callers. */
export function eachAuthenticatedRoute(judge: (route: AuditedRoute, audited: Audited) => Judged): Judge {
  return eachRoute((route, audited) => (route.authenticated ? judge(route, audited) : undefined));
}

function eachOf<T>(
  kind: SubjectKind,
  section: string,
  members: (audited: Audited) => Readonly<Record<string, T>>,
  judge: (member: T, audited: Audited, name: string) => Judged,
): Judge {
  return function* (audited) {
    for (const [name, member] of Object.entries(members(audited)))
      yield* verdicts({ kind, name, path: [section, name] }, judge(member, audited, name));
  };
}

export function eachListener(judge: (listener: Listener, audited: Audited, name: string) => Judged): Judge {
  return eachOf('listener', 'listeners', ({ options }) => options.listeners, judge);
}

export function eachService(judge: (service: Service, audited: Audited, name: string) => Judged): Judge {
  return eachOf('service', 'services', ({ options }) => options.services, judge);
}

export function eachLimit(
  judge: (limit: Audited['routes'][number]['limits'][number]['limit'], audited: Audited) => Judged,
): Judge {
  return function* (audited) {
    for (const [name, limit] of Object.entries(audited.options.limits))
      yield* verdicts({ kind: 'limit', name, path: ['limits', name] }, judge(limit, audited));
    for (const { route, subject, limits } of audited.routes)
      for (const [at, { limit }] of limits.entries()) {
        if (typeof route.limits[at] === 'string') continue;
        const judged = [judge(limit, audited) ?? []].flat();
        yield* verdicts(
          subject,
          judged.map((one) => ({ ...one, at: ['limits', at, ...one.at] })),
        );
      }
  };
}

/** Asks each method of one kind. `at` of the judgement begins inside the kind's options. */
export function eachMethod<K extends keyof Method>(
  kind: K,
  judge: (options: NonNullable<Method[K]>, audited: Audited, name: string) => Judged,
): Judge {
  return eachOf(
    'authentication',
    'authentication',
    ({ options }) => options.authentication,
    (method, audited, name) => {
      const options = method[kind];
      if (options === undefined) return undefined;
      return [judge(options, audited, name) ?? []].flat().map((one) => ({ ...one, at: [kind, ...one.at] }));
    },
  );
}

/** Several of these after one another. */
export function all(...judges: readonly Judge[]): Judge {
  return function* (audited) {
    for (const judge of judges) yield* judge(audited);
  };
}

/** Asks one section of the file, or the whole. */
export function section(name: string, judge: (audited: Audited) => Judged): Judge {
  return (audited) => verdicts({ kind: 'section', name, path: name === 'file' ? [] : [name] }, judge(audited));
}
