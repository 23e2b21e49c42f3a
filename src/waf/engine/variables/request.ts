import { NO_VALUES, type Values } from '../transaction/facts.ts';
import type { Transaction } from '../transaction/transaction.ts';
import { readCookies } from './cookies.ts';
import { combinedSize, joined, namesOf, optional, pairs, single } from './values.ts';
import type { Variable } from './variable.ts';

type Read = (t: Transaction) => Values;

/** One value of the request's head. */
const head = (name: string, read: (t: Transaction) => string | undefined): Variable => ({
  name,
  collection: false,
  stable: true,
  phase: 1,
  read: (t) => optional(read(t)),
});
const list = (name: string, read: Read, phase: 1 | 2 = 1): Variable => ({ name, collection: true, stable: true, phase, read });
const body = (name: string, read: (t: Transaction) => string | undefined): Variable => ({ ...head(name, read), phase: 2 });

const queryArgs: Read = (t) => t.request.queryFields;
const bodyArgs: Read = (t) => t.reading?.arguments ?? NO_VALUES;
const allArgs: Read = (t) => joined(queryArgs(t), bodyArgs(t));

/** The target without scheme and host. */
function uriOf(t: Transaction): string {
  const { rawPath, query, rawTarget } = t.request;
  if (rawTarget.startsWith('/')) return rawTarget;
  return query === '' && !rawTarget.includes('?') ? rawPath : `${rawPath}?${query}`;
}

function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}

function headerOf(t: Transaction, name: string): string | undefined {
  const { headers } = t.request;
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return headers[i + 1];
  return undefined;
}

function requestLine(t: Transaction): string {
  const { method, rawTarget, protocol } = t.request;
  return `${method} ${rawTarget} ${protocol}`;
}

/** The whole request as text: its line, its fields, its body. */
function fullRequest(t: Transaction): string {
  let text = `${requestLine(t)}\n`;
  const { headers } = t.request;
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\n`;
  return `${text}\n${t.body?.text() ?? ''}`;
}

/** As mod_security2 has it: of a form, and where a rule forces it; JSON, XML and multipart bodies are judged by their values. */
function bodyText(t: Transaction): string | undefined {
  if (t.body === undefined || t.body.length === 0 || t.phase < 2) return undefined;
  return t.processor === 'URLENCODED' || t.processor === undefined || t.forceBodyVariable ? t.body.text() : undefined;
}

export const REQUEST_VARIABLES: readonly Variable[] = [
  head('REQUEST_METHOD', (t) => t.request.method),
  head('REQUEST_PROTOCOL', (t) => t.request.protocol),
  head('REQUEST_LINE', requestLine),
  head('REQUEST_URI', uriOf),
  head('REQUEST_URI_RAW', (t) => t.request.rawTarget),
  head('REQUEST_FILENAME', (t) => t.request.path),
  head('REQUEST_BASENAME', (t) => baseName(t.request.path)),
  head('QUERY_STRING', (t) => t.request.query),
  head('PATH_INFO', () => undefined),
  head('REMOTE_ADDR', (t) => t.request.clientAddress),
  head('REMOTE_HOST', (t) => t.request.clientAddress),
  head('REMOTE_PORT', (t) => String(t.request.clientPort)),
  head('REMOTE_USER', (t) => t.request.user),
  head('AUTH_TYPE', (t) => headerOf(t, 'authorization')?.split(' ', 1)[0]),
  head('SERVER_NAME', (t) => t.request.serverName),
  head('SERVER_PORT', (t) => String(t.request.serverPort)),
  head('UNIQUE_ID', (t) => t.request.id),
  list('REQUEST_HEADERS', (t) => pairs(t.request.headers)),
  list('REQUEST_HEADERS_NAMES', (t) => namesOf(pairs(t.request.headers))),
  list('REQUEST_COOKIES', (t) => readCookies(t.request.headers)),
  list('REQUEST_COOKIES_NAMES', (t) => namesOf(readCookies(t.request.headers))),
  list('ARGS_GET', queryArgs),
  list('ARGS_GET_NAMES', (t) => namesOf(queryArgs(t))),
  list('ARGS_POST', bodyArgs, 2),
  list('ARGS_POST_NAMES', (t) => namesOf(bodyArgs(t)), 2),
  { ...list('ARGS', allArgs), grows: true },
  { ...list('ARGS_NAMES', (t) => namesOf(allArgs(t))), grows: true },
  { ...head('ARGS_COMBINED_SIZE', (t) => String(combinedSize(allArgs(t)))), grows: true },
  body('REQUEST_BODY', bodyText),
  body('REQUEST_BODY_LENGTH', (t) => String(t.body?.length ?? 0)),
  body('FULL_REQUEST', fullRequest),
  body('FULL_REQUEST_LENGTH', (t) => String(fullRequest(t).length)),
  { name: 'REQBODY_PROCESSOR', collection: false, stable: false, phase: 1, read: (t) => single(t.processor ?? '') },
  body('REQBODY_ERROR', (t) => (t.reading?.error === undefined ? '0' : '1')),
  body('REQBODY_ERROR_MSG', (t) => t.reading?.error ?? ''),
  body('REQBODY_PROCESSOR_ERROR', (t) => (t.reading?.error === undefined ? '0' : '1')),
  body('REQBODY_PROCESSOR_ERROR_MSG', (t) => t.reading?.error ?? ''),
  body('INBOUND_DATA_ERROR', (t) => (t.inboundDataError ? '1' : '0')),
];
