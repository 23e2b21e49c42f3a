/** An answer of the admin listener, whole: nothing here streams. */
export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What every answer says; a page says more. */
export const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

export function text(status: number, body: string): Reply {
  return { status, type: 'text/plain; charset=utf-8', body };
}

export function json(body: unknown): Reply {
  return { status: 200, type: 'application/json', body: `${JSON.stringify(body)}\n` };
}

export function problem(status: number, title: string, headers?: Record<string, string>): Reply {
  return {
    status,
    type: 'application/problem+json',
    body: `${JSON.stringify({ type: 'about:blank', title, status })}\n`,
    headers,
  };
}

/** A browser that has done what it was asked to goes on with GET. */
export function seeOther(location: string, headers?: Record<string, string>): Reply {
  return { status: 303, type: 'text/plain; charset=utf-8', body: '', headers: { location, ...headers } };
}
