import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Reply } from './reply.ts';

/** Where the page's files lie, in the source and in a build. */
const FOLDER = path.join(import.meta.dirname, 'page');

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

/** All that is served; a name from a request reaches no file system. */
const STYLE = ['page.css'];
const SCRIPTS = [
  'page.js',
  'sections.js',
  'glance.js',
  'flow.js',
  'trust.js',
  'tables.js',
  'chart.js',
  'rates.js',
  'format.js',
  'dom.js',
];

/**
 * Nothing from anywhere else, no script or style in the page itself, and no text that becomes markup (Trusted Types): whatever a name
 * holds that comes from a configuration or a client, a browser has no way to run it.
 */
const PAGE_HEADERS = {
  'content-security-policy': [
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:",
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  ].join('; '),
  // With `no-referrer` a browser says `Origin: null` for a form, and login and logout ask for the origin.
  'referrer-policy': 'same-origin',
};

/** A file as it goes out. */
interface PageFile {
  readonly type: string;
  readonly body: Buffer;
  readonly tag: string;
}

/** The files of the status page, read once. */
export class PageFiles {
  readonly #style = load(STYLE);
  readonly #scripts = load(SCRIPTS);
  readonly #page = readFileSync(path.join(FOLDER, 'index.html'), 'utf8');
  readonly #login = readFileSync(path.join(FOLDER, 'login.html'), 'utf8');

  /** @param session - there is one that can be ended */
  page(session: boolean): Reply {
    return html(200, this.#page.replace('<!-- logout -->', session ? LOGOUT : ''));
  }

  /** @param message - plain words of ours, never something that a client sent */
  login(status: number, message = '', headers: Record<string, string> = {}): Reply {
    const alert = message === '' ? '' : `<p role="alert">${message}</p>`;
    return html(status, this.#login.replace('<!-- alert -->', alert), headers);
  }

  /** What the login form needs too; anyone may have it. */
  style(url: string, known: string | undefined): Reply | undefined {
    return fileReply(this.#style.get(url), known);
  }

  script(url: string, known: string | undefined): Reply | undefined {
    return fileReply(this.#scripts.get(url), known);
  }
}

const LOGOUT = '<form method="post" action="/logout"><button>Log out</button></form>';

function html(status: number, body: string, headers: Record<string, string> = {}): Reply {
  return { status, type: 'text/html; charset=utf-8', body, headers: { ...PAGE_HEADERS, ...headers } };
}

function load(names: readonly string[]): Map<string, PageFile> {
  return new Map(
    names.map((name) => {
      const body = readFileSync(path.join(FOLDER, name));
      const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
      return [`/page/${name}`, { type: TYPES[path.extname(name)], body, tag }];
    }),
  );
}

/** Kept by the browser but asked for each time: after an upgrade nobody sees the old page with new data. */
function fileReply(file: PageFile | undefined, known: string | undefined): Reply | undefined {
  if (file === undefined) return undefined;
  const headers = { 'cache-control': 'no-cache', etag: file.tag };
  const fresh = (known ?? '').split(',').some((one) => one.trim().replace(/^W\//, '') === file.tag);
  return fresh ? { status: 304, type: file.type, body: '', headers } : { status: 200, type: file.type, body: file.body, headers };
}
