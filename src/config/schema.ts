import { z } from 'zod';
import { adminOptions } from '../admin/options.ts';
import { csrfOptions } from '../authenticate/csrf/options.ts';
import { methodOptions, routeAuthentication } from '../authenticate/options.ts';
import { authorizeOptions } from '../authorize/options.ts';
import { egressOptions } from '../egress/options.ts';
import { limitOptions, routeLimits } from '../limit/options.ts';
import { listenerOptions } from '../listen/options.ts';
import { observeOptions } from '../observe/options.ts';
import { routeOptions } from '../route/options.ts';
import { secretsOptions } from '../secrets/options.ts';
import { storeOptions } from '../stores/options.ts';
import { serviceOptions } from '../upstream/options.ts';
import { validateOptions } from '../validate/options.ts';
import { wafOptions, wafRouteOptions } from '../waf/options.ts';
import { auditOptions } from './audit-options.ts';
import { concurrency, network, size } from './units.ts';

/**
 * The whole configuration file. Each room declares its own options in its `options.ts`; here they are put together.
 * From this one declaration come the type, the defaults, the check, the JSON Schema and the manual.
 */

const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;

function name() {
  return z.string().regex(NAME, 'a name begins with a letter and holds letters, digits, "-", "_" and "."; at most 64 of them');
}

// The order of keys is that of the manual: what a route matches, where it leads, what protects it, the rest.
const { path, host, methods, headers, ...otherRouteOptions } = routeOptions.shape;

const routeSchema = z.strictObject({
  path,
  host,
  methods,
  headers,
  service: z.string().describe('Name of the service that the request goes to.'),
  authentication: routeAuthentication,
  csrf: csrfOptions,
  authorize: authorizeOptions
    .optional()
    .describe('What the caller must be allowed to. Without it any authenticated caller passes.'),
  limits: routeLimits
    .default([])
    .describe('How often: names of the section `limits`, and limits of this route alone. The strictest speaks.'),
  concurrency: concurrency()
    .optional()
    .describe('At most so many requests of this route are under way at once, each until its answer is complete.'),
  body: size().prefault('1MiB').describe('Largest request body. A larger one is refused with 413.'),
  validate: validateOptions
    .optional()
    .describe('What a request may hold: a contract, or media types and bounds. Without it bodies stream past unread.'),
  ...otherRouteOptions,
  waf: wafRouteOptions
    .optional()
    .describe('The web application firewall for this route: what it says here comes before the section `waf`.'),
});

/** The schema of a configuration file. */
export const gatewaySchema = z.strictObject({
  listeners: z
    .record(name(), listenerOptions)
    .refine((value) => Object.keys(value).length > 0, 'at least one listener is needed')
    .describe('The addresses that clients reach, each under a name of your choice.'),
  'trusted-proxies': z
    .array(network())
    .default([])
    .describe(
      'Addresses and networks of proxies in front of the gateway whose X-Forwarded-For, Forwarded and PROXY headers are believed.',
    ),
  services: z.record(name(), serviceOptions).describe('The services behind the gateway, each under a name of your choice.'),
  authentication: z
    .record(name(), methodOptions)
    .default({})
    .describe('Ways to tell who calls, each under a name of your choice.'),
  limits: z.record(name(), limitOptions).default({}).describe('Limits, each one bucket for all routes that use it.'),
  concurrency: concurrency()
    .optional()
    .describe('At most so many requests are under way at once in all, each until its answer is complete.'),
  routes: z
    .array(routeSchema)
    .min(1)
    .describe('Which requests go to which service, and what protects them. Their order never matters: the most exact path wins.'),
  waf: wafOptions.optional().describe('The web application firewall, for all routes that do not say otherwise.'),
  observe: observeOptions.prefault({}).describe('Records, logs and metrics.'),
  store: storeOptions
    .prefault('memory')
    .describe(
      'Where limits are counted: `memory` of this gateway, or a Redis 7 or Valkey that several gateways share, written `redis://HOST:PORT` or with options.',
    ),
  egress: egressOptions
    .prefault({})
    .describe("The gateway's own calls out: keys of issuers, introspection. Addresses that are not public are refused."),
  secrets: secretsOptions
    .optional()
    .describe('Where values written as `secret:NAME` are, besides the environment (`NAME`, or `NAME_FILE` for a file).'),
  admin: adminOptions
    .optional()
    .describe('The admin listener with `/healthz`, `/readyz` and `/metrics`. Without it there is none.'),
  workers: z
    .union([z.int().min(1).max(64), z.literal('auto')])
    .default(1)
    .describe('Processes that share the work; `auto` is one for each processor.'),
  audit: auditOptions
    .optional()
    .describe('What `portcullis audit` is told: findings that are accepted, each with a reason. The gateway itself ignores it.'),
});

/** A checked configuration with all defaults filled in; sizes are bytes, durations milliseconds, file paths absolute. */
export type GatewayOptions = z.output<typeof gatewaySchema>;
/** One entry of `routes`. */
export type GatewayRoute = GatewayOptions['routes'][number];
