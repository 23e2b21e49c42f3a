import { z } from 'zod';
import { duration } from '../config/units.ts';
import { parseOrigin } from '../exchange/origins.ts';
import { DEFAULT_METHODS } from './methods.ts';
import { type Problem, parseHost, parsePattern } from './pattern.ts';
import { headerNameProblem, headerValueProblem, ownHeaderProblem } from './response-headers.ts';

/** Methods that a route may have. TRACE would show a script what it may not read, CONNECT is not for a gateway. */
const METHODS = [
  ...DEFAULT_METHODS,
  'PROPFIND',
  'PROPPATCH',
  'MKCOL',
  'COPY',
  'MOVE',
  'LOCK',
  'UNLOCK',
  'REPORT',
  'SEARCH',
  'QUERY',
] as const;

type Reader = (text: string) => object | Problem;

/** A text that `read` understands; the text itself is what comes out. */
function checked(read: Reader) {
  return z.string().superRefine((text, context) => {
    const result = read(text);
    if ('problem' in result) context.addIssue({ code: 'custom', message: String(result.problem) });
  });
}

/** One text, or a list of them; a list comes out. */
function oneOrMore(read: Reader) {
  return z
    .union([checked(read), z.array(checked(read)).min(1)])
    .transform((value) => (typeof value === 'string' ? [value] : value));
}

function methodList() {
  return z.array(z.enum(METHODS)).min(1);
}

function headerName(text: string): object | Problem {
  const problem = headerNameProblem(text);
  return problem === undefined ? {} : { problem };
}

function matchName(text: string): object | Problem {
  return text.toLowerCase() === 'host' ? { problem: 'the host of a route is matched by `host`' } : headerName(text);
}

const headerList = z.array(checked(headerName));

const corsOptions = z
  .strictObject({
    origins: oneOrMore(parseOrigin).describe(
      'Origins whose pages may call: `https://app.example.com`, `https://*.example.com` for all names below it, or `*`. `null` counts only where it is named.',
    ),
    methods: methodList().optional().describe('Methods that these pages may use. Without it: the methods of the route.'),
    headers: z
      .union([z.literal('*'), headerList])
      .default(['authorization', 'content-type'])
      .describe('Request headers that these pages may set, or `*`.'),
    expose: z
      .union([z.literal('*'), headerList])
      .default([])
      .describe('Response headers that these pages may read besides the few that are always readable.'),
    credentials: z.boolean().default(false).describe('Whether browsers may send cookies and client certificates along.'),
    'max-age': duration().prefault('10m').describe('How long a browser may remember the answer to a preflight.'),
  })
  .superRefine((cors, context) => {
    if (!cors.credentials) return;
    const refuse = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
    // Every page of the web can have the origin `null` (a sandboxed frame), so it is as wide as `*`.
    if (cors.origins.some((origin) => origin === '*' || origin === 'null')) {
      refuse('origins', '`credentials: true` needs origins by name: with `*` or `null` every page could act as the user');
    }
    if (cors.headers === '*') refuse('headers', '`credentials: true` needs headers by name, not `*`');
    if (cors.expose === '*') refuse('expose', '`credentials: true` needs headers by name, not `*`: browsers ignore it');
  });

const responseHeaders = z.record(z.string(), z.string()).superRefine((headers, context) => {
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    const twice = seen.has(lower) ? `${name} is written twice` : undefined;
    const message = twice ?? ownHeaderProblem(name) ?? headerValueProblem(value);
    if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message });
    seen.add(lower);
  }
});

/** The options of one route that belong to the room `route`, for the configuration's schema to extend. */
export const routeShape = {
  path: checked(parsePattern).describe(
    'Path pattern: `*` is one segment, `{name}` a parameter, `**` at the end any rest. An exact path wins, then the longest literal beginning; the order of routes never matters.',
  ),
  host: oneOrMore(parseHost)
    .optional()
    .describe('Hosts that the route is for: a name, `*.example.com` for all names below it, or a list. Without it: every host.'),
  methods: methodList()
    .default(DEFAULT_METHODS as (typeof METHODS)[number][])
    .describe(
      'Methods that the route serves. HEAD is served where GET is; OPTIONS is answered by the gateway where it is not listed.',
    ),
  headers: z
    .record(checked(matchName), z.string())
    .optional()
    .describe('The route is only for requests with these headers: the exact value, or `present` for any.'),
  cors: corsOptions
    .optional()
    .describe('Lets pages of other origins call this route. Preflights are answered before authentication.'),
  origins: oneOrMore(parseOrigin)
    .optional()
    .describe(
      'Origins whose pages may open WebSockets besides the gateway’s own origin and the names in `cors`; `*` allows every page.',
    ),
  'response-headers': responseHeaders
    .optional()
    .describe('Response headers by name: a value sets the header, `remove` takes it out, `keep` leaves it to the service.'),
};

/** The options of one route that belong to the room `route`. */
export const routeOptions = z.strictObject(routeShape);

/** Checked options of one route. */
export type RouteOptions = z.output<typeof routeOptions>;
export type CorsOptions = z.output<typeof corsOptions>;
