import { isIPv6 } from 'node:net';
import { z } from 'zod';
import { duration, filePath } from '../config/units.ts';

/** Where Redis or Valkey is and how it is spoken to. */
export interface RedisOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  /** Absolute path of the certificates that the store's must lead to. */
  readonly ca: string | undefined;
  /** Milliseconds that a decision may take. */
  readonly timeout: number;
  readonly prefix: string;
  /** How many gateways share the store as long as it has never told. */
  readonly instances: number;
}

/** What `store` says. */
export type StoreOptions = 'memory' | RedisOptions;

type Place = Pick<RedisOptions, 'host' | 'port' | 'tls' | 'username' | 'password' | 'database'>;

/** No message of this file repeats the value: it may hold a password, or a piece of one. */
const NO_URL = 'this is not the address of a store: write redis://HOST:PORT, or rediss://HOST:PORT with TLS';
const NO_STORE = 'this is not a store: write "memory", redis://HOST:PORT, or rediss://HOST:PORT with TLS';

/** `redis://[user:password@]host[:port][/database]` → its parts; a text is what is wrong with it. */
function parseRedisUrl(text: string): Place | string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^rediss?:\/\//i.test(text) || url.hostname === '') return NO_URL;
  if (url.port === '0') return 'a store does not listen on port 0';
  if (url.search !== '' || url.hash !== '') return 'the address of a store ends with its database: after it no "?" and no "#"';
  const database = /^\/(\d{1,4})?$/.exec(url.pathname === '' ? '/' : url.pathname);
  if (database === null) return 'behind the host stands the number of the database, such as /0';
  const username = decoded(url.username);
  const password = decoded(url.password);
  if (username === undefined || password === undefined) return 'a "%" in user name or password is written %25';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    host: isIPv6(host) ? host : decodeURIComponent(host).toLowerCase(),
    port: url.port === '' ? 6379 : Number(url.port),
    tls: url.protocol === 'rediss:',
    username: username === '' ? undefined : username,
    password: password === '' ? undefined : password,
    database: Number(database[1] ?? 0),
  };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const redisUrl = z.string().transform((value, context): Place => {
  const place = parseRedisUrl(value);
  if (typeof place !== 'string') return place;
  context.addIssue({ code: 'custom', message: place });
  return z.NEVER;
});

const redisStore = z
  .strictObject({
    redis: redisUrl.describe(
      'Where Redis 7 or Valkey is: `redis://HOST:PORT/DATABASE`, `rediss://…` with TLS. Port 6379 and database 0 where nothing else is said.',
    ),
    username: z.string().min(1).optional().describe('User of the store, where it knows more than one.'),
    password: z
      .string()
      .min(1)
      .optional()
      .describe('Password of the store. Write `secret:NAME` or `${NAME}`, so that it does not stand in the file.'),
    ca: filePath()
      .optional()
      .describe("File with the certificates that the store's certificate must lead to, PEM. Without it: those that Node brings."),
    timeout: duration()
      .prefault('50ms')
      .refine((ms) => ms >= 1 && ms <= 5000, 'from 1ms to 5s')
      .describe('How long a decision may take. What is later counts as failed, and the `when-store-fails` of the limit holds.'),
    prefix: z
      .string()
      .regex(/^[\w.:-]{1,64}$/, 'a prefix holds letters, digits, "_", "-", "." and ":"; at most 64 of them')
      .default('portcullis')
      .describe('Begins every key in the store. Gateways with the same prefix share their limits.'),
    instances: z
      .int()
      .min(1)
      .max(10_000)
      .default(1)
      .describe(
        'How many gateways share the store as long as it has not been reached once. Afterwards it is known, and this is not used.',
      ),
  })
  .transform((value, context): RedisOptions => {
    const { redis, username = redis.username, password = redis.password, ...others } = value;
    for (const key of ['username', 'password'] as const) {
      if (redis[key] !== undefined && value[key] !== undefined)
        context.addIssue({ code: 'custom', message: `the ${key} stands in \`redis\` too`, path: [key] });
    }
    if (others.ca !== undefined && !redis.tls)
      context.addIssue({ code: 'custom', message: '`ca` is of use with rediss:// only', path: ['ca'] });
    return { ...redis, ca: undefined, ...others, username, password };
  });

/** The short form: only the address, all else as it is without words. */
const redisShort = z.string().transform((value, context): RedisOptions => {
  const place = parseRedisUrl(value);
  if (typeof place !== 'string') return redisStore.parse({ redis: value });
  context.addIssue({ code: 'custom', message: place === NO_URL ? NO_STORE : place });
  return z.NEVER;
});

/** Schema of `store`. */
export const storeOptions = z.union([z.literal('memory'), redisShort, redisStore]);
