import {
  data,
  type ErrorName,
  END_STREAM,
  frame,
  get,
  goaway,
  HEADERS,
  headers,
  PADDED,
  ping,
  post,
  priority,
  reset,
  settings,
  settingsAck,
  uint32,
  windowUpdate,
} from '../support/h2-raw.ts';
import { encodeAndRemember, encodeFields, indexed, tableSize } from '../support/hpack.ts';

/** A client that sends the same over and over. One event is what `make` gives for the numbers from 0. */
export interface Flood {
  readonly why: string;
  readonly make: (i: number) => Buffer;
  /** The connection must be over after so many events; without it after 2,000. */
  readonly most?: number;
  readonly error?: ErrorName;
}

const CALM: ErrorName = 'ENHANCE_YOUR_CALM';
const id = (i: number): number => 2 * i + 1;
/** First a POST on stream 1 that stays open, then these. */
const onStream1 =
  (make: () => Buffer) =>
  (i: number): Buffer =>
    i === 0 ? headers(1, post('/hang'), { end: false }) : make();
/** First HEADERS without an end, then these. */
const inSection =
  (make: () => Buffer) =>
  (i: number): Buffer =>
    i === 0 ? frame(HEADERS, END_STREAM, 1, encodeFields(get('/hang'))) : make();
const both = (...frames: Buffer[]): Buffer => Buffer.concat(frames);
const upload = (i: number): Buffer => headers(id(i), post('/hang'), { end: false });

export const floods: readonly Flood[] = [
  // streams that are begun and given up: CVE-2023-44487
  { why: 'rapid reset', make: (i) => both(headers(id(i), get('/hang')), reset(id(i))), error: CALM },
  {
    why: 'rapid reset of uploads, with a piece of each body',
    make: (i) => both(upload(i), data(id(i), 'x'.repeat(50)), reset(id(i))),
    error: CALM,
  },
  { why: 'rapid reset, with NO_ERROR', make: (i) => both(headers(id(i), get('/hang')), reset(id(i), 0)), error: CALM },
  {
    why: 'resets of requests that were answered early',
    make: (i) => both(headers(id(i), get('/a%2fb'), { end: false }), reset(id(i))),
    error: CALM,
  },

  // streams that we are made to reset: CVE-2025-8671
  { why: 'made to reset: windows wider by 0', make: (i) => both(upload(i), windowUpdate(id(i), 0)), most: 1 },
  { why: 'made to reset: windows beyond 2 GiB', make: (i) => both(upload(i), windowUpdate(id(i), 0x7fff_ffff)), error: CALM },
  {
    why: 'made to reset: HEADERS behind the end',
    make: (i) => both(headers(id(i), get('/hang')), headers(id(i), [['x', 'y']])),
    most: 1,
  },
  { why: 'made to reset: DATA behind the end', make: (i) => both(headers(id(i), get('/hang')), data(id(i), 'x')), most: 1 },
  {
    why: 'made to reset: more than content-length',
    make: (i) => both(headers(id(i), post('/hang', [['content-length', '1']]), { end: false }), data(id(i), 'xx')),
    error: CALM,
  },
  { why: 'made to reset: a priority over itself', make: (i) => both(upload(i), priority(id(i), id(i))), most: 1 },
  { why: 'made to reset: a priority of 3 bytes', make: (i) => both(upload(i), frame(2, 0, id(i), 'abc')), most: 1 },
  { why: 'made to reset: malformed trailers', make: (i) => both(upload(i), headers(id(i), [[':path', '/x']])), error: CALM },
  { why: 'made to reset: malformed heads', make: (i) => headers(id(i), get('/x', [['connection', 'close']])), error: CALM },
  { why: 'made to reset: line breaks in values', make: (i) => headers(id(i), get('/x', [['a', 'b\r\nc: d']])), error: CALM },
  {
    why: 'made to refuse: heads that are too large',
    make: (i) => headers(id(i), get('/x', [['a', 'b'.repeat(17_000)]])),
    error: CALM,
  },
  { why: 'made to refuse: more streams than there may be', make: (i) => upload(i), most: 1100, error: CALM },

  // field sections: CVE-2024-27983, CVE-2019-9518, bombs
  { why: 'CONTINUATION without end', make: inSection(() => frame(9, 0, 1, encodeFields([['a', 'b']]))), most: 33, error: CALM },
  {
    why: 'CONTINUATION without end, large',
    make: inSection(() => frame(9, 0, 1, encodeFields([['a', 'b'.repeat(16_000)]]))),
    most: 6,
    error: CALM,
  },
  { why: 'CONTINUATION without end, empty', make: inSection(() => frame(9, 0, 1)), most: 33, error: CALM },
  {
    why: 'CONTINUATION without end, changes of the table',
    make: inSection(() => frame(9, 0, 1, Buffer.concat(Array<Buffer>(100).fill(tableSize(0))))),
    most: 33,
    error: CALM,
  },
  {
    why: 'a bomb: 4 kB for each byte',
    make: (i) =>
      headers(
        id(i),
        i === 0
          ? both(encodeFields(get('/x')), encodeAndRemember(['a', 'x'.repeat(4000)]))
          : both(encodeFields(get('/x')), ...Array<Buffer>(16_000).fill(indexed(62))),
      ),
    most: 2,
    error: CALM,
  },
  {
    why: 'a bomb below all bounds: 20 kB in 10 bytes',
    make: (i) =>
      headers(
        id(i),
        i === 0
          ? both(encodeFields(get('/x')), encodeAndRemember(['a', 'x'.repeat(4000)]))
          : both(encodeFields(get('/x')), ...Array<Buffer>(5).fill(indexed(62))),
      ),
    error: CALM,
  },
  {
    why: 'trailers without a field and without end',
    make: (i) => (i === 0 ? upload(0) : headers(1, Buffer.alloc(0), { end: false })),
    error: CALM,
  },

  // frames that bring nothing: CVE-2019-9511, -9512, -9513, -9515, -9517, -9518
  { why: 'PING', make: () => ping(), error: CALM },
  { why: 'acknowledgements of no PING', make: () => frame(6, 1, 0, 'pingpong'), error: CALM },
  { why: 'SETTINGS', make: () => settings([4, 65_535]), error: CALM },
  { why: 'SETTINGS without a setting', make: () => settings(), error: CALM },
  {
    why: 'SETTINGS with 2,000 of them',
    make: () => settings(...Array<[number, number]>(2000).fill([3, 1])),
    most: 10,
    error: CALM,
  },
  { why: 'SETTINGS of the table', make: (i) => settings([1, i % 2 === 0 ? 0 : 65_536]), error: CALM },
  { why: 'SETTINGS of the window', make: (i) => settings([4, i % 2 === 0 ? 0 : 65_536]), error: CALM },
  { why: 'acknowledgements of no SETTINGS', make: () => settingsAck(), error: CALM },
  { why: 'PRIORITY of many streams', make: (i) => priority(id(i)), error: CALM },
  { why: 'PRIORITY of one stream', make: onStream1(() => priority(1)), error: CALM },
  { why: 'PRIORITY_UPDATE', make: () => frame(0x10, 0, 0, both(uint32(1), Buffer.from('u=1'))), error: CALM },
  { why: 'unknown frames', make: () => frame(0xee, 0, 0, 'x'), error: CALM },
  { why: 'unknown frames without payload', make: () => frame(0xee, 0, 0), error: CALM },
  { why: 'unknown frames of 16 kB', make: () => frame(0xee, 0, 0, Buffer.alloc(16_384)), most: 100, error: CALM },
  { why: 'ALTSVC', make: () => frame(0xa, 0, 0, '\0\x01xh2=":1"'), error: CALM },
  { why: 'ORIGIN', make: () => frame(0xc, 0, 0, '\0\x08https://'), error: CALM },
  { why: 'the window of the connection, byte by byte', make: () => windowUpdate(0, 1), error: CALM },
  { why: 'the window of a stream, byte by byte', make: onStream1(() => windowUpdate(1, 1)), error: CALM },
  { why: 'RST_STREAM of one stream', make: (i) => (i === 0 ? both(headers(1, get('/hang')), reset(1)) : reset(1)), error: CALM },
  { why: 'RST_STREAM of streams that were never begun', make: (i) => reset(id(i)), most: 1 },
  { why: 'DATA without a byte', make: onStream1(() => data(1, '')), error: CALM },
  {
    why: 'DATA with nothing but padding',
    make: onStream1(() => frame(0, PADDED, 1, both(Buffer.of(255), Buffer.alloc(255)))),
    error: CALM,
  },
  { why: 'GOAWAY', make: () => goaway(), most: 1 },
  { why: 'GOAWAY, with a stream open', make: onStream1(() => goaway(0, 2)), error: CALM },
  { why: 'PUSH_PROMISE', make: () => frame(5, 4, 1, both(uint32(2), encodeFields(get('/x')))), most: 1 },
];
