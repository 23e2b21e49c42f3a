import { CarryStore } from '../../../src/config/carry.ts';
import { Exchange } from '../../../src/exchange/exchange.ts';
import { readFraming, readRequestHead } from '../../../src/exchange/read-head.ts';
import type { Refusal } from '../../../src/exchange/decision.ts';
import { effectiveWaf } from '../../../src/waf/effective.ts';
import { wafOptions } from '../../../src/waf/options.ts';
import type { PreparedWaf } from '../../../src/waf/prepared.ts';
import { wafStage } from '../../../src/waf/stage.ts';
import type { Sent } from './place.ts';

/** What became of a request: undefined where it passed. */
export interface Judged {
  /** `reader`: the head has no one reading, so no rule was asked. */
  readonly stoppedBy: 'reader' | 'rules' | undefined;
  /** Ids of the rules that matched and are logged. */
  readonly rules: readonly number[];
}

const LIMIT = 131_072;
const CONNECTION = { listener: 'public', secure: true, peerAddress: '198.18.0.1', peerPort: 4711, serverName: undefined };

/** The room as a route has it. */
export async function wafRoom(options: object = { rules: ['builtin'] }): Promise<PreparedWaf> {
  const effective = effectiveWaf(wafOptions.parse(options), undefined);
  if (effective === undefined) throw new Error('the firewall is off');
  const room = await wafStage.prepare(effective, { carry: new CarryStore().open() } as never, { bodyLimit: LIMIT });
  return room as PreparedWaf;
}

/** One request through the gateway's reading of heads and the room `waf`. */
export function judge(room: PreparedWaf, sent: Sent): Judged {
  const headers = [...sent.headers];
  const framing = readFraming(headers, '1.1');
  const head = framing.kind === 'refusal' ? framing : readRequestHead(sent.method, sent.target, '1.1', headers, true);
  if ('kind' in head) return { stoppedBy: 'reader', rules: [] };
  const x = new Exchange('a', CONNECTION, head, undefined);
  const refusal = walk(room, x, sent);
  room.onEnd(x);
  const note = x.notes?.get('waf') as { readonly matched?: readonly number[] } | undefined;
  return { stoppedBy: refusal === undefined ? undefined : 'rules', rules: note?.matched ?? [] };
}

function walk(room: PreparedWaf, x: Exchange, { body, answer }: Sent): Refusal | undefined {
  const atHead = room.onRequestHead(x);
  if (atHead !== undefined) return atHead;
  x.body = Buffer.from(body ?? '', 'latin1');
  return room.onRequestBody(x) ?? (answer === undefined ? undefined : answered(room, x, answer));
}

function answered(room: PreparedWaf, x: Exchange, answer: string): Refusal | undefined {
  const body = Buffer.from(answer, 'latin1');
  const type = answer.startsWith('{') ? 'application/json' : 'text/html; charset=utf-8';
  x.response = { status: 200, headers: ['content-type', type], length: body.length, body };
  return room.onResponseHead(x) ?? room.onResponseBody(x);
}
