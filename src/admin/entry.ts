import { timingSafeEqual } from 'node:crypto';
import type http from 'node:http';
import type { Log } from '../pipeline/stage.ts';
import type { PageFiles } from './files.ts';
import { readForm } from './form.ts';
import { bearerOf, isSecure, originIsOurs } from './guard.ts';
import { problem, type Reply, seeOther } from './reply.ts';
import { digest, SessionCookie, Sessions } from './sessions.ts';
import { FailedTries } from './tries.ts';

export interface EntryParts {
  readonly token: string;
  readonly files: PageFiles;
  readonly log: Log;
  /** Milliseconds of a clock that only goes forward. */
  readonly clock: () => number;
}

const WORDS = {
  wrong: 'That is not the token of this gateway.',
  often: 'Too many wrong tokens from your address. Wait a minute and try again.',
  foreign: 'This form was not sent from this page. Open the page by its own address and try again.',
  unreadable: 'The form could not be read. Try again.',
};

/**
 * How one gets in where a token is configured: programs bring it with every request, a browser once and gets a session for it. Either
 * way an address has ten wrong tokens a minute.
 */
export class Entry {
  readonly #parts: EntryParts;
  readonly #token: Buffer;
  readonly #tries = new FailedTries();
  readonly #sessions: Sessions;

  constructor(parts: EntryParts) {
    this.#parts = parts;
    this.#token = digest(parts.token);
    this.#sessions = new Sessions(parts.clock);
  }

  /** The answer to who may not read; undefined: may. A browser at the front door gets the form. */
  refuse(request: http.IncomingMessage, path: string): Reply | undefined {
    const { authorization } = request.headers;
    if (authorization !== undefined) return this.#judgeBearer(request, authorization);
    if (this.#cookiesOf(request).some((id) => this.#sessions.has(id))) return undefined;
    return path === '/' ? this.#parts.files.login(401, '', challenge()) : unauthorized();
  }

  form(): Reply {
    return this.#parts.files.login(200);
  }

  /** The token in the form opens a session. What is refused here shows the form again, with the reason. */
  async login(request: http.IncomingMessage): Promise<Reply> {
    const { files, log, clock } = this.#parts;
    if (!originIsOurs(request)) return files.login(403, WORDS.foreign);
    const form = await readForm(request);
    if (typeof form === 'number') return files.login(form, WORDS.unreadable);
    // From here to the end nothing waits: no other try comes between the look at the count and the count.
    const [address, now, tokens] = [addressOf(request), clock(), form.getAll('token')];
    const wait = this.#tries.wait(address, now);
    if (wait > 0) return files.login(429, WORDS.often, { 'retry-after': String(wait) });
    if (tokens.length !== 1 || !this.#isToken(tokens[0])) {
      this.#failed(address, now);
      return files.login(401, WORDS.wrong, challenge());
    }
    const cookie = cookieOf(request);
    for (const id of cookie.read(request.headers.cookie)) this.#sessions.close(id);
    log.info('a browser has logged in on the admin listener', { address });
    return seeOther('/', { 'set-cookie': cookie.set(this.#sessions.open()) });
  }

  logout(request: http.IncomingMessage): Reply {
    if (!originIsOurs(request)) return problem(403, 'Forbidden');
    const cookie = cookieOf(request);
    for (const id of cookie.read(request.headers.cookie)) this.#sessions.close(id);
    return seeOther('/login', { 'set-cookie': cookie.clear() });
  }

  #judgeBearer(request: http.IncomingMessage, authorization: string): Reply | undefined {
    const [address, now] = [addressOf(request), this.#parts.clock()];
    const wait = this.#tries.wait(address, now);
    if (wait > 0) return problem(429, 'Too many requests', { 'retry-after': String(wait) });
    const token = bearerOf(authorization);
    if (token !== undefined && this.#isToken(token)) return undefined;
    this.#failed(address, now);
    // RFC 6750 section 3.1: `invalid_token` only where there was one.
    return unauthorized(', error="invalid_token"');
  }

  #isToken(token: string): boolean {
    return timingSafeEqual(digest(token), this.#token);
  }

  /** At most ten lines a minute, and the tenth is the alarm. */
  #failed(address: string, now: number): void {
    const fields = { event: 'admin-token-wrong', address };
    if (this.#tries.failed(address, now)) {
      this.#parts.log.warn('the admin listener refuses an address for a minute: ten wrong tokens', fields);
    } else this.#parts.log.info('a wrong token on the admin listener', fields);
  }

  #cookiesOf(request: http.IncomingMessage): string[] {
    return cookieOf(request).read(request.headers.cookie);
  }
}

function cookieOf(request: http.IncomingMessage): SessionCookie {
  return new SessionCookie(request.socket.localPort ?? 0, isSecure(request));
}

function addressOf(request: http.IncomingMessage): string {
  return request.socket.remoteAddress ?? '';
}

function challenge(more = ''): Record<string, string> {
  return { 'www-authenticate': `Bearer realm="portcullis admin"${more}` };
}

function unauthorized(more = ''): Reply {
  return problem(401, 'Unauthorized', challenge(more));
}
