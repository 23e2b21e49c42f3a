import type { Step } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { ForwardRules } from '../exchange/forward.ts';
import type { HeaderList } from '../exchange/headers.ts';
import type { Service } from '../exchange/service.ts';
import type { Message, Need, Prepared } from './stage.ts';

export type Hook = (x: Exchange) => Step;
export type MessageHook = (x: Exchange, message: Message) => Step;

/** The largest response that is held when several rooms want to see it whole. */
export interface WholeResponse {
  readonly limit: number;
  readonly over: 'pass' | 'refuse';
  /** Media types that are read, lower case; undefined: all. */
  readonly types: ReadonlySet<string> | undefined;
}

/** Takes an upgraded connection apart into messages of at most `limit` bytes. */
export interface MessageInspection {
  readonly limit: number;
  readonly inspect: typeof import('./websocket.ts').inspectMessages;
}

/** One route, ready to be walked: what its rooms have to do at each moment, in order, and nothing else. */
export interface RoutePlan {
  readonly path: string;
  readonly service: Service;
  readonly forward: ForwardRules;
  readonly bodyLimit: number;
  readonly requestHead: readonly Hook[];
  readonly requestBody: readonly Hook[];
  readonly message: readonly MessageHook[];
  readonly responseHead: readonly Hook[];
  readonly responseBody: readonly Hook[];
  readonly end: readonly ((x: Exchange) => void)[];
  /** Bound of a request body that a room has to see whole; undefined = it streams. */
  readonly wholeRequest: number | undefined;
  readonly wholeResponse: WholeResponse | undefined;
  /** How an upgraded connection is taken apart where a room looks at messages; undefined = it is tunnelled byte for byte. */
  readonly messages: MessageInspection | undefined;
  /** Adds the route's response fields to answers of our own, refusals among them. */
  readonly decorate: ((x: Exchange, headers: HeaderList) => void) | undefined;
  close(): Promise<void>;
}

/** What a plan is made of besides its rooms. */
export interface PlanParts {
  readonly path: string;
  readonly service: Service;
  readonly forward: ForwardRules;
  readonly bodyLimit: number;
  readonly decorate?: (x: Exchange, headers: HeaderList) => void;
}

/** Lists the hooks of the rooms that are present on a route, in the order of the rooms. */
export async function makePlan(parts: PlanParts, rooms: readonly Prepared[]): Promise<RoutePlan> {
  return {
    path: parts.path,
    service: parts.service,
    forward: parts.forward,
    bodyLimit: parts.bodyLimit,
    decorate: parts.decorate,
    requestHead: hooks(rooms, (room) => room.onRequestHead?.bind(room)),
    requestBody: hooks(rooms, (room) => room.onRequestBody?.bind(room)),
    message: hooks(rooms, (room) => room.onMessage?.bind(room)),
    responseHead: hooks(rooms, (room) => room.onResponseHead?.bind(room)),
    responseBody: hooks(rooms, (room) => room.onResponseBody?.bind(room)),
    end: hooks(rooms, (room) => room.onEnd?.bind(room)),
    wholeRequest: smallest(
      rooms.map((room) => limitOf(room.needs?.request, 'whole')),
      parts.bodyLimit,
    ),
    wholeResponse: wholeResponse(rooms),
    messages: await messageInspection(rooms),
    close: () => closeRooms(rooms),
  };
}

/** Closes all of them, also when one cannot; rejects with the reason of the first that could not. */
export async function closeRooms(rooms: readonly Prepared[]): Promise<void> {
  const closed = await Promise.allSettled(rooms.map(async (room) => room.close?.()));
  for (const one of closed) if (one.status === 'rejected') throw one.reason;
}

function hooks<H>(rooms: readonly Prepared[], pick: (room: Prepared) => H | undefined): H[] {
  return rooms.map(pick).filter((hook) => hook !== undefined);
}

function limitOf(need: Need | undefined, kind: 'whole' | 'messages'): number | undefined {
  return typeof need === 'object' && need.kind === kind ? need.limit : undefined;
}

/** The strictest of the bounds that rooms ask for, `also` among them; undefined when no room asks. */
function smallest(limits: readonly (number | undefined)[], also = Number.POSITIVE_INFINITY): number | undefined {
  const asked = limits.filter((limit) => limit !== undefined);
  return asked.length === 0 ? undefined : Math.min(also, ...asked);
}

/** The reader of WebSocket frames is loaded only where somebody looks at messages. */
async function messageInspection(rooms: readonly Prepared[]): Promise<MessageInspection | undefined> {
  const limit = smallest(
    rooms.flatMap((room) => [limitOf(room.needs?.request, 'messages'), limitOf(room.needs?.response, 'messages')]),
  );
  return limit === undefined ? undefined : { limit, inspect: (await import('./websocket.ts')).inspectMessages };
}

function wholeResponse(rooms: readonly Prepared[]): WholeResponse | undefined {
  const needs = rooms.map((room) => room.needs?.response).filter((need) => typeof need === 'object' && need.kind === 'whole');
  if (needs.length === 0) return undefined;
  const limit = Math.min(...needs.map((need) => need.limit));
  const everything = needs.some((need) => need.types === undefined);
  const types = everything ? undefined : new Set(needs.flatMap((need) => need.types ?? []));
  return { limit, over: needs.some((need) => need.over === 'refuse') ? 'refuse' : 'pass', types };
}
