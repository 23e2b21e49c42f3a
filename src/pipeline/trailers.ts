import { bareResponseHeaders } from '../exchange/forward.ts';
import type { HeaderList } from '../exchange/headers.ts';

/**
 * Fields that say how a message is read, kept, shown or answered. They must not come behind it (RFC 9110 section 6.5.1): whoever merges
 * trailers into the head would have an answer that no room has judged.
 */
const HEAD_ONLY: ReadonlySet<string> = new Set([
  ...['age', 'allow', 'cache-control', 'clear-site-data', 'content-disposition', 'content-encoding', 'content-language'],
  ...['content-location', 'content-range', 'content-security-policy', 'content-type', 'date', 'expires', 'link', 'location'],
  ...['pragma', 'refresh', 'referrer-policy', 'retry-after', 'set-cookie', 'strict-transport-security', 'vary', 'warning'],
  ...['www-authenticate', 'x-content-type-options', 'x-frame-options', 'x-xss-protection'],
]);

/** The trailers of a service's answer that go to the client; undefined when none is left. */
export function responseTrailers(list: HeaderList): HeaderList | undefined {
  const passed = bareResponseHeaders(list);
  const to: HeaderList = [];
  for (let i = 0; i < passed.length; i += 2) {
    const name = passed[i];
    if (!HEAD_ONLY.has(name) && !name.startsWith('access-control-')) to.push(name, passed[i + 1]);
  }
  return to.length === 0 ? undefined : to;
}
