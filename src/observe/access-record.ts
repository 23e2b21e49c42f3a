import type { Refusal } from '../exchange/decision.ts';
import type { Caller, ConnectionInfo, Exchange } from '../exchange/exchange.ts';
import type { UpstreamTrace } from '../exchange/service.ts';
import { Redaction } from './redact.ts';

/**
 * The access record: one JSON line for every request. The hot path is concatenation, because JSON.stringify of an object
 * built for the purpose costs three times as much; `slowRecord` in the test says the same with JSON.stringify.
 *
 * What never stands in it: header values, cookies, the query, bodies.
 */

/** A request that was refused before there was a head: what is known of it. */
export interface WireRefusal {
  readonly id: string;
  /** Milliseconds since the epoch, and `performance.now()`, when its first byte came. */
  readonly time: number;
  readonly began: number;
  readonly connection: ConnectionInfo;
  readonly refusal: Refusal;
  /** As far as it was read. */
  readonly method?: string;
  readonly rawTarget?: string;
  readonly host?: string;
  readonly version?: string;
  /** Status that was sent; the refusal's own when left out; 0 when the connection was just closed. */
  readonly status?: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

const NOTHING_PERSONAL = new Redaction();

/** The line for a request that walked the corridor, without the line feed. `now` is `performance.now()` at its end. */
export function formatRecord(x: Exchange, now: number = performance.now(), redaction: Redaction = NOTHING_PERSONAL): string {
  return (
    `{"time":"${isoTime(x.time)}","request_id":${quote(x.id)},"listener":${quote(x.connection.listener)}` +
    `,"client":{"address":${quote(redaction.address(x.clientAddress))}}` +
    formatHttp(x, redaction) +
    (x.route === undefined ? '' : `,"route":${quote(x.route)}`) +
    (x.service === undefined ? '' : `,"service":${quote(x.service)}`) +
    (x.caller === undefined ? '' : formatCaller(x.caller, redaction.hidesSubject)) +
    (x.decision === undefined ? '' : formatDecision(x.decision)) +
    (x.notes === undefined ? '' : formatNotes(x.notes)) +
    (x.upstream.target === undefined ? '' : formatUpstream(x.upstream)) +
    formatTls(x.connection) +
    `,"ms":${milliseconds(now - x.began)}` +
    (x.traceId === '' ? '}' : `,"trace_id":${quote(x.traceId)}}`)
  );
}

/**
 * The line for a request that the reader of the wire refused. It has the same shape: all members of `http` are there,
 * empty where nothing was read. `path` is then not canonical but what came, without query, credentials of an absolute
 * form and whatever is beyond 1,024 characters.
 */
export function formatWireRefusal(
  w: WireRefusal,
  now: number = performance.now(),
  redaction: Redaction = NOTHING_PERSONAL,
): string {
  return (
    `{"time":"${isoTime(w.time)}","request_id":${quote(w.id)},"listener":${quote(w.connection.listener)}` +
    `,"client":{"address":${quote(redaction.address(w.connection.peerAddress))}}` +
    formatWireHttp(w, redaction) +
    formatDecision(w.refusal) +
    formatTls(w.connection) +
    `,"ms":${milliseconds(now - w.began)}}`
  );
}

/** The member `http` with the comma before it, like all of these. */
export function formatHttp(x: Exchange, redaction: Redaction): string {
  const { head } = x;
  return (
    `,"http":{"method":${quote(head.method)},"host":${quote(head.host)}` +
    `,"path":${quote(pathOf(x, redaction))},"version":"${head.version}","status":${x.status}` +
    `,"request_bytes":${x.requestBytes},"response_bytes":${x.responseBytes}}`
  );
}

export function formatWireHttp(w: WireRefusal, redaction: Redaction): string {
  return (
    `,"http":{"method":${quote(cut(w.method ?? '', 32))},"host":${quote(cut(w.host ?? '', 256))}` +
    `,"path":${quote(cut(redaction.unreadPath(w.rawTarget ?? ''), LONG))}` +
    `,"version":${quote(cut(w.version ?? '', 8))},"status":${w.status ?? w.refusal.status}` +
    `,"request_bytes":${w.requestBytes},"response_bytes":${w.responseBytes}}`
  );
}

/** What `listen` refused may have no canonical path, and then what came stands in for it. */
function pathOf({ head, route, decision }: Exchange, redaction: Redaction): string {
  if (head.path === '') return cut(redaction.unreadPath(head.rawTarget), LONG);
  if (route === undefined && decision?.room === 'listen') return redaction.unreadPath(head.path);
  return redaction.path(head.path, route);
}

/** Longest reason, subject and raw path in a record; the canonical path goes in whole (its bound is `target-bytes`). */
const LONG = 1024;

export function formatCaller(caller: Caller, hidesSubject: boolean): string {
  const subject = caller.subject === undefined || hidesSubject ? '' : `,"subject":${quote(cut(caller.subject, LONG))}`;
  const key = caller.key === undefined || hidesSubject ? '' : `,"key":${quote(cut(caller.key, LONG))}`;
  return `,"caller":{"by":${quote(caller.by)},"name":${quote(caller.name)}${subject}${key}}`;
}

export function formatDecision(decision: Refusal): string {
  return `,"decision":{"room":"${decision.room}","code":"${decision.code}","reason":${quote(cut(decision.reason, LONG))}}`;
}

/** Nothing on a connection without. What OpenSSL calls them needs no look. */
function formatTls({ tls }: ConnectionInfo): string {
  return tls === undefined ? '' : `,"tls":{"version":"${tls.version}","cipher":"${tls.cipher}"}`;
}

function formatUpstream(trace: UpstreamTrace): string {
  return (
    `,"upstream":{"target":${quote(trace.target as string)}` +
    (trace.status === undefined ? '' : `,"status":${trace.status}`) +
    (trace.ms === undefined ? '' : `,"ms":${milliseconds(trace.ms)}`) +
    (trace.tries > 1 ? `,"tries":${trace.tries}}` : '}')
  );
}

/** Members that a room may add to the record by a note of this name. A list, so that no note gets in by accident. */
const NOTED = ['limit', 'validate', 'waf'];

function formatNotes(notes: Map<string, unknown>): string {
  let text = '';
  for (const name of NOTED) {
    const value = notes.get(name);
    if (value !== undefined) text += `,"${name}":${escapeHarmful(JSON.stringify(value))}`;
  }
  return text;
}

function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}…`;
}

/** A JSON string. Nearly all values are printable ASCII without quote or backslash and need no more than a look. */
export function quote(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x20 || c > 0x7e || c === 0x22 || c === 0x5c) return escapeHarmful(JSON.stringify(text));
  }
  return `"${text}"`;
}

/**
 * Characters that JSON allows raw but that end a line for some readers (NEL, U+2028), steer a terminal (C1) or hide and
 * reorder text (zero width, bidirectional): an attacker chooses paths and subjects, a person reads them.
 */
const HARMFUL = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

export function escapeHarmful(json: string): string {
  return json.replace(HARMFUL, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** `.001` … `.999` without trailing zeros, for milliseconds with microseconds; `000` … `999` for the ISO time. */
const FRACTIONS = Array.from({ length: 1000 }, (_, i) => (i === 0 ? '' : `.${String(i).padStart(3, '0').replace(/0+$/, '')}`));
const THREE_DIGITS = Array.from({ length: 1000 }, (_, i) => String(i).padStart(3, '0'));

/** Printing a double costs ten times as much as two whole numbers. */
function milliseconds(ms: number): string {
  if (!(ms > 0)) return '0';
  const us = Math.round(ms * 1000);
  return Math.floor(us / 1000) + FRACTIONS[us % 1000];
}

// A cache of one second: nothing but the text of a time depends on it.
let cachedSecond = Number.NaN;
let cachedPrefix = '';

export function isoTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== cachedSecond) {
    cachedPrefix = new Date(second * 1000).toISOString().slice(0, 20);
    cachedSecond = second;
  }
  return `${cachedPrefix}${THREE_DIGITS[Math.floor(ms) - second * 1000]}Z`;
}
