import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Work } from './args.ts';

/** What the service says to everything. */
export const ANSWER =
  '{"id":42,"name":"Ada Lovelace","email":"ada@example.org","roles":["admin","user"],"active":true,"tags":["a","b","c"],' +
  '"note":"the quick brown fox jumps over the lazy dog"}';

const WORDS =
  `please leave the parcel with our neighbour at number door bell does not work call before delivery blue running shoes size
large green jacket waterproof summer light cotton shirt ordered water bottle gift wrap for my mother birthday second floor left side`.split(
    /\s+/,
  );

const random = (below: number): number => Math.floor(Math.random() * below);
const pick = <T>(list: readonly T[]): T => list[random(list.length)];
const prose = (count: number, space: string): string => Array.from({ length: count }, () => pick(WORDS)).join(space);

/** A query like those that `config/requests.lua` makes for HTTP/1.1. */
export function ordersTarget(): string {
  const status = pick(['shipped', 'open', 'returned', 'paid']);
  return (
    `/api/v1/orders?customer=${random(1e6)}&status=${status}&sort=-created_at&q=${prose(3, '%20')}` +
    `&limit=${random(100)}&fields=id,total,items`
  );
}

/** What a POST of this work carries; undefined for a GET. */
export function bodyOf(work: Work): string | undefined {
  if (work === 'prose') return proseBody();
  return work === 'post' || work === 'guarded' ? orderBody() : undefined;
}

/** A body of about 1 kB with 42 values; more items make it longer. */
export function orderBody(count = 8): string {
  const items = Array.from({ length: count }, () => ({
    sku: `SKU-${random(1e6)}`,
    name: `${prose(3, ' ')} size ${random(49)}`,
    qty: random(9),
    price: random(19900) / 100,
  }));
  const customer = { id: random(1e6), name: "Sinéad O'Brien", email: `${random(1e7)}@example.org`, phone: '+44 20 7946 0958' };
  const address = { street: `${random(200)} ${prose(2, ' ')} street`, city: 'Zürich', zip: 'SW1Y 4JH', country: 'GB' };
  return JSON.stringify({ customer, address, note: `${prose(12, ' ')}, thanks!`, currency: 'GBP', items });
}

/**
 * The order with a sentence in every field: about 3 kB, with the punctuation that people write. Without the
 * word `call`, which libmodsecurity's detector takes for SQL between others: false alarms are not what is measured.
 */
export function proseBody(): string {
  const words = (): string => prose(3 + random(4), ' ').replaceAll('call', 'ring');
  const sentence = (): string => `${words()}${pick([', ', '; ', ' - ', '. '])}${words()}${pick(['.', '!', '?', ' (thanks)'])}`;
  return JSON.stringify(JSON.parse(orderBody()), (_, value: unknown) => (typeof value === 'object' ? value : sentence()));
}

/** Header fields of a browser, for h2load, whose fields are the same in every request. */
export const BROWSER_FIELDS = [
  'user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36',
  'accept: application/json, text/plain, */*',
  'accept-language: en-US,en;q=0.9',
  'accept-encoding: gzip, deflate, br',
  'cookie: session=s%3A0f8fad5bd9cb469fa16570867728950e.a1b2c3d4e5; theme=dark; _ga=GA1.2.123456789.987654321',
  'referer: https://app.example.com/orders?page=12',
];

/** Writes what h2load reads: thousands of targets of which no two are alike, and one body. */
export function writeWorkload(dir: string): { targets: string; postTargets: string; body: string } {
  const targets = path.join(dir, 'targets.txt');
  const postTargets = path.join(dir, 'post-targets.txt');
  const body = path.join(dir, 'body.json');
  writeFileSync(targets, lines(20_000, ordersTarget));
  writeFileSync(
    postTargets,
    lines(20_000, () => `/api/v1/orders?request=${random(1e9)}`),
  );
  writeFileSync(body, orderBody());
  return { targets, postTargets, body };
}

const lines = (count: number, make: () => string): string => Array.from({ length: count }, () => `${make()}\n`).join('');
