import { hashOf } from './read-cases.ts';

/** A request as a client sends it. Byte strings; names of fields in lower case. */
export interface Sent {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly body?: string;
  /** What the service answers, where the case is about that. */
  readonly answer?: string;
}

const BASE = [
  'host',
  'api.example.com',
  'user-agent',
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'accept',
  'application/json, text/plain, */*',
];
const NAMES = ['q', 'name', 'text', 'id', 'comment', 'value', 'search', 'title', 'input', 'note', 'item', 'field'];
const BOUNDARY = '----form7MA4YWxkTrZu0gW';

const bytes = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
const pick = <T>(list: readonly T[], seed: number): T => list[seed % list.length];

/** Writes every byte but letters, digits and `-._~` as `%HH`. */
function escaped(text: string): string {
  return bytes(text).replace(/[^A-Za-z0-9\-._~]/g, percent);
}
const percent = (byte: string) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;

/** The ways in which clients write a value in a query or a form; the last two only where somebody hides something. */
const WRITE: Readonly<Record<string, (text: string) => string>> = {
  plain: escaped,
  plus: (text) => escaped(text).replaceAll('%20', '+'),
  bare: (text) => bytes(text).replace(/[^A-Za-z0-9\-._~!'()*:@/?$,;=]/g, percent),
  every: (text) => bytes(text).replace(/[^]/g, percent),
  twice: (text) => escaped(escaped(text)),
};
const BENIGN_WAYS = ['plain', 'plus', 'bare'];
const HOSTILE_WAYS = ['plain', 'plus', 'bare', 'every', 'twice'];

type Make = (text: string, seed: number, hostile: boolean) => Sent | undefined;

const get = (target: string, headers: readonly string[] = []): Sent => ({
  method: 'GET',
  target,
  headers: [...BASE, ...headers],
});

function post(type: string, body: string, headers: readonly string[] = []): Sent {
  const fields = [...BASE, 'content-type', type, 'content-length', String(body.length), ...headers];
  return { method: 'POST', target: '/api/v1/orders', headers: fields, body };
}

const written = (text: string, seed: number, hostile: boolean) => WRITE[pick(waysOf(text, hostile), seed >>> 4)](text);

/** What holds escapes of its own is not escaped twice: no service undoes three. */
function waysOf(text: string, hostile: boolean): readonly string[] {
  if (!hostile) return BENIGN_WAYS;
  return /%[0-9a-f]{2}/i.test(text) ? HOSTILE_WAYS.slice(0, -1) : HOSTILE_WAYS;
}

function json(text: string, seed: number, hostile: boolean): string {
  const value = JSON.stringify(text);
  const quoted = hostile && seed % 3 === 0 ? `"${value.slice(1, -1).replace(/\\.|[^]/g, unicode)}"` : value;
  const shapes = [
    `{"${pick(NAMES, seed >>> 8)}":${quoted},"page":1}`,
    `{"data":{"items":[{"id":${seed % 1000},"attributes":{"${pick(NAMES, seed >>> 8)}":${quoted}}}],"total":1}}`,
    `[{"op":"add","path":"/notes/0","value":${quoted}}]`,
    `{"lang":"de","values":["a",${quoted},true,null]}`,
  ];
  return bytes(pick(shapes, seed >>> 12));
}
const unicode = (one: string) =>
  one.length > 1 || /[\w ]/.test(one) ? one : `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`;

function multipart(parts: readonly (readonly [head: string, content: string])[]): Sent {
  const text = parts.map(([head, content]) => `--${BOUNDARY}\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`);
  return post(`multipart/form-data; boundary=${BOUNDARY}`, `${text.join('')}--${BOUNDARY}--\r\n`);
}

const quotedName = (name: string) => bytes(name).replace(/["\r\n\0]/g, percent);
const xmlText = (text: string) => bytes(text).replace(/[&<>"\0\r]/g, (c) => (c === '\0' ? '' : `&#${c.charCodeAt(0)};`));

const PLACES: Readonly<Record<string, Make>> = {
  query: (text, seed, hostile) =>
    get(`/api/v1/orders?page=2&${pick(NAMES, seed >>> 8)}=${written(text, seed, hostile)}&sort=-created`),
  form: (text, seed, hostile) =>
    post(
      'application/x-www-form-urlencoded',
      `lang=en&${pick(NAMES, seed >>> 8)}=${written(text, seed, hostile).replaceAll(';', '%3B')}&agree=on`,
    ),
  json: (text, seed, hostile) => post('application/json', json(text, seed, hostile)),
  graphql: (text) =>
    post(
      'application/json',
      bytes(JSON.stringify({ query: 'mutation($text: String!) { note(text: $text) { id } }', variables: { text } })),
    ),
  multipart: (text, seed) =>
    multipart([
      ['name="lang"', 'en'],
      [`name="${pick(NAMES, seed >>> 8)}"`, bytes(text)],
      ['name="photo"; filename="photo.jpg"\r\nContent-Type: image/jpeg', '\xff\xd8\xff\xe0'],
    ]),
  xml: (text) => post('application/xml', `<?xml version="1.0" encoding="UTF-8"?><note><text>${xmlText(text)}</text></note>`),
  cookie: (text, seed) =>
    get('/api/v1/orders', [
      'cookie',
      `theme=dark; ${pick(NAMES, seed >>> 8)}=${seed % 2 === 0 ? WRITE.plain(text) : WRITE.every(text)}; lang=de`,
    ]),
  path: (text) => get(`/api/v1/items/${escaped(text)}/details`),
  filename: (text) =>
    multipart([[`name="file"; filename="${quotedName(text)}"\r\nContent-Type: image/jpeg`, '\xff\xd8\xff\xe0']]),
  filecontent: (text) => multipart([['name="file"; filename="photo.jpg"\r\nContent-Type: image/jpeg', bytes(text)]]),
  rawquery: (text) => get(`/api/v1/orders?${bytes(text)}`),
  rawform: (text) => post('application/x-www-form-urlencoded', bytes(text)),
  rawpath: (text) => get(bytes(text)),
  rawrequest: (text) => {
    const [method, target, field] = text.split('|', 3);
    const colon = field.indexOf(': ');
    const headers = colon < 0 ? BASE : withField(field.slice(0, colon), field.slice(colon + 2));
    return { method, target, headers };
  },
  jsonbody: (text) => post('application/json', bytes(text)),
  graphqldoc: (text) => post('application/json', bytes(JSON.stringify({ operationName: null, query: text, variables: {} }))),
  xmlbody: (text) => post('application/xml', bytes(text)),
  svgbody: (text) => post('image/svg+xml', bytes(text)),
  textbody: (text) => post('text/plain', bytes(text)),
  ndjsonbody: (text) => post('application/x-ndjson', bytes(text)),
  cookieheader: (text) => get('/api/v1/orders', ['cookie', bytes(text)]),
  response: (text) => ({ ...get('/api/v1/orders'), answer: bytes(text) }),
};

function withField(name: string, value: string): string[] {
  const kept = BASE.filter((_, i) => BASE[i - (i % 2)] !== name);
  return [...kept, name, bytes(value)];
}

/** A field of the head cannot hold control characters: HTTP has no way to send them. */
function inHeader(name: string, text: string): Sent | undefined {
  if (/[\0-\x1f\x7f]/.test(text)) return undefined;
  const value = bytes(text).trim();
  const sent =
    name === 'referer' && !text.includes('://') ? `https://www.example.com/search?q=${value.replaceAll(' ', '%20')}` : value;
  return { ...get('/api/v1/orders'), headers: withField(name, sent) };
}

/** The request that has the text in this place; undefined: it cannot stand there. */
export function placed(text: string, place: string, hostile: boolean): Sent | undefined {
  const header = /^header:(.+)$/.exec(place)?.[1];
  if (header !== undefined) return inHeader(header, text);
  const make = PLACES[place];
  if (make === undefined) throw new Error(`no such place: ${place}`);
  return make(text, hashOf(`${place} ${text}`), hostile);
}
