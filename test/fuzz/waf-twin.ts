import { isDeepStrictEqual } from 'node:util';
import { missingForCrs } from '../conformance/crs.ts';
import { Random } from '../support/random.ts';
import { crsRequests, injectionLines, PLACES, type Sent, toldOf, withValue } from '../support/waf-requests.ts';
import { randomRequest, randomRules } from '../support/waf-rules.ts';
import { CRS_RULES, programOf, type Told, type TwinRequest, Twins } from '../support/waf-twin.ts';

/**
 * `npm run fuzz:waf-twin [-- SECONDS [SEED]]`: looks for a request that the fast way of judging and the plain one see differently. Half of
 * the time small sets of rules at random, half of it the Core Rule Set in each paranoia level, where it is there. Exit 1 when there is one.
 */
const seconds = Number(process.argv[2] ?? 60);
const first = Number(process.argv[3] ?? Date.now() % 1_000_000);
const end = performance.now() + seconds * 1000;
let judged = 0;

function differs(twins: Twins, request: TwinRequest | Told, how: string): boolean {
  const [plain, fast] = twins.both(request);
  judged++;
  if (isDeepStrictEqual(plain, fast)) return false;
  console.log(`${how}\nrequest ${JSON.stringify(request)}\nplain ${JSON.stringify(plain)}\nfast  ${JSON.stringify(fast)}`);
  return true;
}

/** One set of rules with requests that come again, whole or in part: only then is anything remembered. */
function randomSet(seed: number): boolean {
  const random = new Random(seed);
  const rules = randomRules(random);
  const twins = new Twins(programOf({ extra: [rules] }), random.chance(0.7) ? 'On' : 'DetectionOnly');
  const sent: TwinRequest[] = [];
  for (let i = 0; i < 40; i++) {
    const old = sent.length > 0 && random.chance(0.5) ? random.pick(sent) : undefined;
    const fresh = randomRequest(random);
    const request = old === undefined ? fresh : { ...fresh, query: old.query, headers: old.headers };
    sent.push(request);
    if (differs(twins, request, `seed ${seed}\n${rules}`)) return true;
  }
  return false;
}

/** The rule set with what its tests send, injections, prose and noise in all places, and answers. */
function* crsSamples(random: Random): Generator<Sent> {
  const tests = crsRequests();
  const lines = injectionLines();
  for (;;) {
    yield random.pick(tests);
    yield withValue(random.pick(lines), random.below(PLACES));
    yield withValue(spliced(random, lines), random.below(PLACES));
    yield withValue(noise(random), random.below(PLACES));
  }
}

function spliced(random: Random, lines: readonly string[]): string {
  const [a, b] = [random.pick(lines), random.pick(lines)];
  return a.slice(0, random.below(a.length + 1)) + b.slice(random.below(b.length + 1));
}

function noise(random: Random): string {
  const most = random.pick([96, 128, 256]);
  return Array.from({ length: random.below(300) }, () => String.fromCharCode(random.below(most))).join('');
}

function crsFor(milliseconds: number, seed: number): boolean {
  const random = new Random(seed);
  const paranoia = 1 + (seed % 4);
  const mode = random.chance(0.5) ? 'On' : 'DetectionOnly';
  const threshold = random.chance(0.5) ? 10_000 : undefined;
  const twins = new Twins(programOf({ rules: CRS_RULES }, { paranoia, threshold }), mode);
  const until = performance.now() + milliseconds;
  for (const sent of crsSamples(random)) {
    if (performance.now() > until) return false;
    const response = {
      status: 200,
      headers: ['content-type', 'text/html'],
      body: spliced(random, [String(sent.body), 'ORA-01234: error']),
    };
    const told = { ...toldOf(sent), response: random.chance(0.2) ? response : undefined };
    if (differs(twins, told, `CRS, seed ${seed}, paranoia ${paranoia}, ${mode}, ${JSON.stringify(sent)}`)) return true;
  }
  return false;
}

let found = false;
for (let seed = first; performance.now() < end && !found; seed++) {
  found = randomSet(seed);
  if (!found && missingForCrs() === undefined && seed % 500 === first % 500) {
    found = crsFor(Math.min(15_000, (end - performance.now()) / 2), seed);
  }
}
console.log(`${judged} requests judged both ways from seed ${first} on: ${found ? 'they differ' : 'no difference'}`);
process.exitCode = found ? 1 : 0;
