/**
 * `npm run bench:authenticate-keys`: what an API key costs, in CPU, inside one process. The same recorded exchanges walk a route without
 * and with authentication, in turn, and the difference of each pair counts. Then what reading the file again costs, which happens once
 * for each change of it.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeApiKey } from '../src/authenticate/api-key/api-key.ts';
import { createKey } from '../src/authenticate/api-key/changes.ts';
import { newKey } from '../src/authenticate/api-key/format.ts';
import { createHashKey, HashKey, hashKeyFile, readHashKey } from '../src/authenticate/api-key/hash-key.ts';
import { EMPTY, formatKeyFile, type KeyFile, parseKeyFile } from '../src/authenticate/api-key/key-file.ts';
import { KeyRing } from '../src/authenticate/api-key/key-ring.ts';
import { apiKeyOptions } from '../src/authenticate/api-key/options.ts';
import type { MethodWorld } from '../src/authenticate/method.ts';
import { Authentication } from '../src/authenticate/stage.ts';
import { cpuOf, exchange, median, pairs, planWith, refused, walk } from './recorded.ts';

const KEYS = 1000;
const ROUNDS = 60;
const LOOKUPS = 5000;

function issue(hashKey: HashKey, count: number): { file: KeyFile; keys: string[] } {
  const keys: string[] = [];
  const entries: KeyFile['keys'][number][] = [];
  let hashedWith: string | undefined;
  for (let i = 0; i < count; i++) {
    const wanted = { id: `customer-${i}`, plan: 'free', scopes: ['orders:read', 'orders:write'] };
    const issued = createKey(EMPTY, hashKey, wanted, Date.now());
    keys.push(issued.key);
    entries.push(...issued.file.keys);
    hashedWith = issued.file.hashedWith;
  }
  return { keys, file: { ...EMPTY, hashedWith, keys: entries } };
}

const nowhere = { info: () => undefined, warn: () => undefined, error: () => undefined };
const world = { clock: { now: Date.now }, log: nowhere } as unknown as MethodWorld;

async function verifications(folder: string): Promise<void> {
  const file = path.join(folder, 'keys.yaml');
  await createHashKey(hashKeyFile(file, undefined));
  const { file: issued, keys } = issue(readHashKey(hashKeyFile(file, undefined)), KEYS);
  await writeFile(file, formatKeyFile(issued));
  const method = await makeApiKey('partners', apiKeyOptions.parse({ keys: file }), world);
  const room = new Authentication([method]);
  const [without, withRoom] = [await planWith([]), await planWith([room])];
  const measured = pairs(
    ROUNDS,
    () => walk(without, 'x-api-key', keys),
    () => walk(withRoom, 'x-api-key', keys),
  );
  if (refused.count > 0) throw new Error(`${refused.count} requests were refused: that is not what was to be measured`);
  const cost = median(measured.map(([base, whole]) => whole - base));
  const base = median(measured.map(([one]) => one));
  console.log(`a key of ${KEYS}     ${cost.toFixed(2).padStart(6)} µs beyond ${base.toFixed(2)} µs without (target 5)`);
  wrongKeys('an unknown key', room, Array.from({ length: KEYS }, newKey));
  wrongKeys(
    'no key at all',
    room,
    keys.map((key) => key.toLowerCase()),
  );
  method.close?.();
}

function wrongKeys(name: string, room: Authentication, keys: readonly string[]): void {
  const costs = Array.from({ length: ROUNDS }, () => {
    const exchanges = Array.from({ length: LOOKUPS }, (_, i) => exchange(i, 'x-api-key', keys[i % keys.length]));
    return cpuOf(LOOKUPS, () => {
      for (const x of exchanges) if (room.onRequestHead(x) === undefined) throw new Error('passed');
    });
  });
  console.log(`${name.padEnd(17)} ${median(costs).toFixed(2).padStart(6)} µs, its refusal included`);
}

function reading(count: number): void {
  const hashKey = new HashKey(randomBytes(32));
  const text = formatKeyFile(issue(hashKey, count).file);
  const costs = Array.from({ length: 7 }, () =>
    cpuOf(1000, () => void new KeyRing(hashKey, parseKeyFile('keys.yaml', text), { name: 'partners', header: 'x-api-key' })),
  );
  console.log(`reading ${`${count}`.padStart(6)} keys ${median(costs).toFixed(0).padStart(5)} ms`);
}

const folder = await mkdtemp(path.join(tmpdir(), 'portcullis-bench-keys-'));
try {
  await verifications(folder);
  for (const count of [1000, 10_000]) reading(count);
} finally {
  await rm(folder, { recursive: true });
}
