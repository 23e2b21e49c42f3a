import type { Http2Session } from 'node:http2';
import { constants, PerformanceObserver } from 'node:perf_hooks';

/** Native sessions that are over, and how many major collections they have still to outlive. */
const kept = new Map<object, number>();

/** A collection that was under way already may not count, so two. */
const COLLECTIONS = 2;

let observer: PerformanceObserver | undefined;

/**
 * Keeps the native object of an HTTP/2 session until the garbage collector has taken its streams. To be called once for every session
 * that stands (a client's in its `connect` event, a server's in `session`).
 *
 * Why: a head with more fields or bytes than allowed leaves its buffers with the stream's native object. When the collector takes the
 * session's before that (both die together, in no order), Node aborts the process: `Assertion failed: (current_nghttp2_memory_) == (0)`
 * (nodejs/node#39951, still so in 24.21). So whoever sends such a head could end the gateway.
 */
export function keepSession(session: Http2Session): void {
  const handle = handleOf(session);
  if (handle === undefined) return;
  session.once('close', () => {
    kept.set(handle, COLLECTIONS);
    observer ??= observeCollections();
  });
}

/** The session lets go of its handle before it tells that it is closed, so it is looked up before, under Node's own symbol. */
function handleOf(session: Http2Session): object | undefined {
  const symbol = Object.getOwnPropertySymbols(session).find((one) => one.description === 'kHandle');
  return symbol === undefined ? undefined : (session as unknown as Record<symbol, object | undefined>)[symbol];
}

function observeCollections(): PerformanceObserver {
  const made = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as unknown as { detail: { kind: number } }).detail;
      if (kind === constants.NODE_PERFORMANCE_GC_MAJOR) onCollection();
    }
  });
  made.observe({ entryTypes: ['gc'] });
  return made;
}

function onCollection(): void {
  for (const [handle, left] of kept) {
    if (left > 1) kept.set(handle, left - 1);
    else kept.delete(handle);
  }
}
