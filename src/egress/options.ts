import { z } from 'zod';
import { filePath, isLoopback, network } from '../config/units.ts';

/** `egress`: where the gateway's own calls may go. */
export const egressOptions = z.strictObject({
  allow: z
    .array(network())
    .default([])
    .describe(
      'Networks that names may resolve to though they are not public, such as 10.0.0.0/8. An address, or `localhost`, that stands in the configuration needs no entry here.',
    ),
  ca: filePath()
    .optional()
    .describe("PEM file with authorities of one's own, which are believed besides the system's when the gateway calls out."),
});

export type EgressOptions = z.output<typeof egressOptions>;

/** Schema of a URL that the gateway calls: with TLS, or on this machine. The output is the text as it was written. */
export function outsideUrl() {
  return z.string().superRefine((value, context) => {
    const problem = outsideProblem(value);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });
}

/** What is wrong with the text as a URL that the gateway calls; undefined: nothing. */
export function outsideProblem(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    return 'not a URL that can be called: write one that begins with https://';
  }
  if (url.username !== '' || url.password !== '') return 'a user name or password must not stand in the URL';
  if (text.includes('#')) return 'a fragment (`#`) must not stand in the URL';
  if (url.protocol === 'https:' || isLocal(url)) return undefined;
  return 'plain http: goes to this machine only (127.0.0.1, [::1] or localhost): write https:';
}

function isLocal({ hostname }: URL): boolean {
  if (hostname === 'localhost') return true;
  return /^[\d.]+$/.test(hostname) ? isLoopback(hostname) : hostname.startsWith('[') && isLoopback(hostname.slice(1, -1));
}
