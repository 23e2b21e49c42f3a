import { createHash } from 'node:crypto';

export interface Script {
  readonly text: string;
  /** The name under which the store keeps it. */
  readonly sha: string;
}

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

/**
 * GCRA over all buckets of a request, in whole microseconds of the store's clock: nothing here depends on the gateways' clocks. A bucket is
 * one key, its value the time at which it is full again; the key expires then, so an unused bucket costs nothing.
 *
 * KEYS: one per bucket. ARGV: 1 the store's time after which nobody waits for the answer any more; then per bucket the interval and the room
 * (burst × interval); then, only where the store was away lately, per bucket the debt that the gateway knows of, and what it gave out
 * without this store and nobody knows of. Answers with 1 (taken) or 0 (none is charged) and the debt of each bucket:
 * the time until it is full. Or with -1 and the store's time, when it is too late.
 *
 * All numbers stay below 2^53, where a Lua number is exact; `%.0f` because Lua itself would write 1.76e+15. A debt above twice the
 * room cannot come about but by a clock that was set back: it is cut for good, so that the bucket is not shut for as long as that.
 */
export const GCRA: Script = script(`
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
if now > tonumber(ARGV[1]) then return { -1, now } end
local full = redis.call('MGET', unpack(KEYS))
local reply = { 1 }
local told = #KEYS * 2
for i = 1, #KEYS do
  local interval, room = tonumber(ARGV[i * 2]), tonumber(ARGV[i * 2 + 1])
  local known, more = tonumber(ARGV[told + i * 2] or 0), tonumber(ARGV[told + i * 2 + 1] or 0)
  local debt = math.max(math.min(known, room), (tonumber(full[i] or now) or now) - now)
  if debt > 2 * room or more > 0 then
    debt = math.min(debt + more, room + math.min(more, room))
    redis.call('SET', KEYS[i], string.format('%.0f', now + debt), 'PX', math.ceil(debt / 1000))
  end
  if debt + interval > room then reply[1] = 0 end
  reply[i + 1] = debt
end
if reply[1] == 0 then return reply end
for i = 1, #KEYS do
  local debt = reply[i + 1] + ARGV[i * 2]
  redis.call('SET', KEYS[i], string.format('%.0f', now + debt), 'PX', math.ceil(debt / 1000))
  reply[i + 1] = debt
end
return reply
`);

/**
 * A sign of life. The set holds every instance with the store's time of its last sign; those that were silent for too long are taken out,
 * and those of a time to come: the clock was set back. When the last sign of anybody is long ago, the store was away from all, or is
 * empty: then it says when all go on together, so that none has the whole limit from it while another still counts its share by itself.
 * It writes, so it also tells whether the store takes writes at all (a replica and a store out of memory do not).
 *
 * KEYS: the set, the time to go on. ARGV: the instance, then microseconds: of silence of one that are too long, of silence of all, until
 * all go on. Answers with the store's time, how many instances there are, and when to go on, 0 for now.
 */
export const SIGN_OF_LIFE: Script = script(`
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - ARGV[2]))
redis.call('ZREMRANGEBYSCORE', KEYS[1], string.format('(%.0f', now + ARGV[2]), '+inf')
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local together = tonumber(redis.call('GET', KEYS[2]) or 0)
if now - tonumber(last[2] or 0) > tonumber(ARGV[3]) then
  together = now + ARGV[4]
  redis.call('SET', KEYS[2], string.format('%.0f', together), 'PX', 60000)
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[2] / 1000))
return { now, redis.call('ZCARD', KEYS[1]), together }
`);
