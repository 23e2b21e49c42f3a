import { parseArgs } from 'node:util';

export const PROTOCOLS = ['http', 'https', 'h2'] as const;
export const WORKS = ['small', 'get', 'post', 'prose', 'guarded'] as const;
/** Those with a firewall stand beside those without, and are measured right after them. */
export const GATEWAYS = [
  ...(['nginx', 'nginx-waf', 'haproxy', 'undici', 'fastify'] as const),
  ...(['portcullis', 'portcullis-waf', 'portcullis-builtin'] as const),
];

/** One word for many. */
const GROUPS: Record<string, readonly string[]> = {
  waf: ['http', 'get', 'post', 'prose', 'nginx', 'nginx-waf', 'portcullis', 'portcullis-waf', 'portcullis-builtin'],
};

export type Protocol = (typeof PROTOCOLS)[number];
export type Work = (typeof WORKS)[number];
export type GatewayName = (typeof GATEWAYS)[number];

export interface Options {
  readonly protocols: readonly Protocol[];
  readonly works: readonly Work[];
  readonly gateways: readonly GatewayName[];
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  readonly streams: number;
  /** Compare Portcullis with 1 and with this many workers, instead of with other gateways. */
  readonly workers: number | undefined;
  /** Passed to Portcullis as NODE_OPTIONS, such as `--cpu-prof`. */
  readonly nodeOptions: string;
  readonly json: string | undefined;
  readonly strict: boolean;
}

export const HELP = `npm run bench -- [options]

Portcullis beside other gateways on this machine: one service, one load generator, one gateway at a time; the gateway on core 0,
service and load on core 1. Absolute figures move from machine to machine and from run to run: compare ratios within one run.
CPU is user + system time of the gateway's processes for each request. Every answer is checked: a row that says WRONG does not count.

  --only LIST        what to measure, names with commas between, of
                       gateways   ${GATEWAYS.join(' ')}
                       protocols  ${PROTOCOLS.join(' ')} (HTTP/1.1, HTTP/1.1 over TLS, HTTP/2 over TLS)
                       works      ${WORKS.join(' ')} (guarded: a POST with a token; Portcullis with token, two limits,
                                  contract and record; prose: a POST with a sentence in every field; both
                                  over HTTP/1.1 only)
                       waf        what a firewall adds: nginx-waf (libmodsecurity) and portcullis-waf with OWASP CRS,
                                  portcullis-builtin with the built-in rules, nginx and portcullis without, HTTP/1.1,
                                  get, post and prose; attacks in the last value must be refused; nginx-waf gets 4 connections,
                                  so that what is unfinished at the end does not weigh
  --rounds N         rounds; the table shows medians          (3)
  --seconds N        seconds of each measurement              (6)
  --connections N    keep-alive connections                   (64)
  --streams N        requests at once on an HTTP/2 connection (1)
  --workers N        compare Portcullis with 1 and with N workers, and nothing else; both may use as many cores
  --json FILE        write all measurements there
  --strict           exit 1 also when a target is missed
  --node-options S   NODE_OPTIONS for Portcullis, such as --cpu-prof
`;

/** Reads the command line; throws an Error whose message is for the user. */
export function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: '' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '6' },
      connections: { type: 'string', default: '64' },
      streams: { type: 'string', default: '1' },
      workers: { type: 'string' },
      json: { type: 'string' },
      strict: { type: 'boolean', default: false },
      'node-options': { type: 'string', default: '' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const only = values.only.split(',').flatMap((word) => GROUPS[word] ?? (word === '' ? [] : [word]));
  const known: readonly string[] = [...PROTOCOLS, ...WORKS, ...GATEWAYS];
  for (const word of only)
    if (!known.includes(word)) throw new Error(`--only: ${word} is none of ${[...known, ...Object.keys(GROUPS)].join(', ')}`);
  const workers = values.workers === undefined ? undefined : count('workers', values.workers);
  return {
    protocols: choose(PROTOCOLS, only, workers === undefined ? PROTOCOLS : ['http']),
    works: choose(WORKS, only, workers === undefined ? WORKS : ['get', 'post']),
    gateways: workers === undefined ? choose(GATEWAYS, only, GATEWAYS) : ['portcullis'],
    rounds: count('rounds', values.rounds),
    seconds: count('seconds', values.seconds),
    connections: count('connections', values.connections),
    streams: count('streams', values.streams),
    workers,
    nodeOptions: values['node-options'],
    json: values.json,
    strict: values.strict,
  };
}

/** Those of `all` that were named, or `fallback` where none was. */
function choose<T extends string>(all: readonly T[], only: readonly string[], fallback: readonly T[]): readonly T[] {
  const chosen = all.filter((name) => only.includes(name));
  return chosen.length > 0 ? chosen : fallback;
}

function count(name: string, text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`--${name}: ${text} is not a number from 1`);
  return Number(text);
}
