/** The status page in a real browser: what it shows follows what happens, what is hostile stays text, and nothing goes anywhere else. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { type Echo, startEcho } from '../support/echo.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { rawRequest } from '../support/raw.ts';
import { missing } from './tools.ts';

const CHROMIUM = '/usr/bin/chromium';
/** The page asks every two seconds; the rest is for a busy machine. */
const PATIENCE = 15_000;
const TOKEN = 'a-token-that-nobody-guesses';
const HOSTILE = '/<img src=x onerror=alert(1)>/**';

const configuration = (echo: string, admin: string) => `
listeners: { public: { address: 127.0.0.1:0 }, secure: { address: 127.0.0.1:0, tls: self-signed } }
services:
  orders: { targets: [${echo}] }
  stock: { targets: ["http://127.0.0.1:1"], health: { path: /healthz, every: 1s } }
limits: { per-address: { rate: 100/minute, by: address } }
routes:
  - { path: /orders/**, service: orders, authentication: none, limits: [per-address] }
  - { path: '${HOSTILE}', service: orders, authentication: none }
admin: ${admin}
`;

/** A page, and all that it asked for and complained about. */
interface Watched {
  readonly page: Page;
  readonly complaints: string[];
  readonly asked: string[];
}

async function watch(context: BrowserContext): Promise<Watched> {
  const page = await context.newPage();
  const [complaints, asked]: string[][] = [[], []];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => !request.url().startsWith('data:') && asked.push(request.url()));
  page.setDefaultTimeout(PATIENCE);
  return { page, complaints, asked };
}

/** The cells of the row that begins with this, in the table in this place. */
async function rowOf(page: Page, place: string, first: string): Promise<string[]> {
  const rows = await page.locator(`#${place} tbody tr`).all();
  const texts = await Promise.all(rows.map((row) => row.locator('th, td').allTextContents()));
  return texts.find((cells) => cells[0] === first) ?? [];
}

/** Looks until it is so. */
async function until(page: Page, what: () => Promise<unknown>, expected: unknown): Promise<void> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const found = await what();
    if (JSON.stringify(found) === JSON.stringify(expected) || performance.now() > end) return assert.deepEqual(found, expected);
    await page.waitForTimeout(50);
  }
}

describe('the status page in a browser', { skip: missing(CHROMIUM, '--version') }, () => {
  let browser: Browser;
  let echo: Echo;
  let gateway: Gateway;
  before(async () => {
    const { chromium } = await import('playwright-core');
    [browser, echo] = await Promise.all([
      chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] }),
      startEcho(),
    ]);
    gateway = await startGateway(configuration(echo.url, '{ address: 127.0.0.1:0 }'));
  });
  after(async () => {
    await browser?.close();
    await gateway?.stop();
    await echo?.stop();
  });

  const ask = (path: string) =>
    rawRequest(gateway.port('public'), `GET ${path} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`);
  const many = async (count: number, path: string) => await Promise.all(Array.from({ length: count }, () => ask(path)));

  test('shows what happens while it is open, and when the gateway is gone and back', async () => {
    const context = await browser.newContext({ colorScheme: 'dark' });
    const { page, complaints, asked } = await watch(context);
    const port = gateway.port('admin');
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.getByRole('status').getByText('Serving').waitFor();
    assert.match(await page.locator('#routes').innerText(), /No request has come since the start/);
    assert.match(await page.locator('#issuers').innerText(), /No route asks for tokens/);
    assert.deepEqual((await rowOf(page, 'services', 'orders')).slice(1, 3), ['1 of 1 up', 'none']);
    await until(page, async () => (await rowOf(page, 'services', 'stock'))[1], '0 of 1 up');
    assert.equal((await rowOf(page, 'services', 'http://127.0.0.1:1'))[1], 'down');
    const days = (await page.locator('#certificates tbody td').first().innerText()) ?? '';
    assert.match(days, /^(?:29|30)$/);

    await many(7, '/orders/1');
    await many(4, '/orders/%2f');
    await many(3, '/nowhere');
    await ask('/%3Cimg%20src=x%20onerror=alert(1)%3E/x');
    await until(page, async () => (await rowOf(page, 'routes', '/orders/**')).slice(5, 8), ['7', '0', '0']);
    assert.deepEqual((await rowOf(page, 'refusals', 'path-ambiguous')).slice(1, 4).toSpliced(1, 1), ['listen', '4']);
    assert.deepEqual((await rowOf(page, 'refusals', 'route-not-found')).slice(1, 4).toSpliced(1, 1), ['route', '3']);
    assert.equal((await rowOf(page, 'limits', 'per-address'))[2], '7');
    assert.equal((await rowOf(page, 'services', 'orders'))[4], '8');
    assert.equal((await rowOf(page, 'routes', HOSTILE))[5], '1');
    assert.match(await page.locator('[data-room=listen]').innerText(), /listen/);
    assert.match(await page.locator('#tile-requests').innerText(), /^\d/);
    assert.match(await page.locator('#tile-latency').innerText(), /ms/);
    assert.match(await page.locator('#events').innerText(), /path-ambiguous/);
    await many(2, '/orders/2');
    await until(page, async () => (await rowOf(page, 'routes', '/orders/**'))[5], '9');
    const line = async (of: Page, kind: string) => (await of.locator(`[data-kind=${kind}] .line`).getAttribute('d')) ?? '';
    await until(page, async () => /^M[\d.]+ [\d.]+L/.test(await line(page, 'requests')), true);

    // Who opens it only now sees what was, at once.
    const late = await context.newPage();
    let asks = 0;
    await late.route('**/status.json', (route) => (asks++ === 0 ? route.continue() : route.abort()));
    await late.goto(`http://127.0.0.1:${port}/`);
    await late
      .getByRole('status')
      .getByText(/Serving|No answer/)
      .waitFor();
    await until(late, async () => /^\d/.test(await late.locator('#tile-requests').innerText()), true);
    assert.match(await line(late, 'refused'), /^M[\d.]+ [\d.]+L/);
    await late.close();

    // What a screen reader and a keyboard need.
    assert.equal(await page.locator('table:not(:has(caption))').count(), 0);
    assert.equal(await page.locator('thead th:not([scope=col]), tbody tr:not(:has(th[scope=row]))').count(), 0);
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Skip to the figures');

    // Nobody looks, so nothing is asked.
    const hide = (hidden: boolean) =>
      page.evaluate(`
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${hidden} });
        document.dispatchEvent(new Event('visibilitychange'));
      `);
    await hide(true);
    const before = asked.length;
    await page.waitForTimeout(2500);
    assert.equal(asked.length, before);
    await hide(false);
    await until(page, () => Promise.resolve(asked.length > before), true);
    assert.deepEqual(complaints, []);
    assert.deepEqual(
      asked.filter((url) => !url.startsWith(`http://127.0.0.1:${port}/`)),
      [],
    );

    const text = configuration(echo.url, `{ address: 127.0.0.1:${port} }`);
    await gateway.stop();
    await page.getByRole('alert').getByText('does not answer').waitFor();
    assert.equal(await page.locator('#state').innerText(), 'No answer');
    assert.equal((await rowOf(page, 'routes', '/orders/**'))[5], '9', 'what was known stays');
    gateway = await startGateway(text);
    await page.getByRole('status').getByText('Serving').waitFor();
    assert.equal(await page.getByRole('alert').isVisible(), false);
    await until(page, () => page.locator('#routes .empty').first().innerText(), 'No request has come since the start.');
    await context.close();
  });

  test('a status full of markup is shown as text', async () => {
    const context = await browser.newContext();
    const { page, complaints, asked } = await watch(context);
    const base = `http://127.0.0.1:${gateway.port('admin')}`;
    await ask('/orders/%2f');
    await ask('/orders/3');
    const real: unknown = await (await fetch(`${base}/status.json`)).json();
    const payloads = [
      '<img src=x onerror=alert(2)>',
      '"><script>alert(3)</script>',
      "javascript:alert(4)//'",
      '</td><svg onload=alert(5)>',
    ];
    let n = 0;
    const poison = (value: unknown): unknown => {
      if (typeof value === 'string') return `${payloads[n++ % payloads.length]} ${n}`;
      if (Array.isArray(value)) return value.map(poison);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, poison(inner)]));
    };
    const issuer = { issuer: 'i', from: 'f', keys: 0, failure: 'broken' };
    const reload = { time: 1, ok: false, reason: 'because' };
    const event = { time: 't', room: 'r', code: 'c', route: 'p', client: 'a', caller: 'c', request_id: 'i' };
    const place = { concurrency: 'all', running: 1, queued: 2, refused: 3 };
    const filled = {
      ...(real as object),
      issuers: [issuer],
      reloads: [reload],
      events: [event],
      places: [place],
      reasons: ['r'],
      ready: false,
    };
    const hostile = poison(filled) as object;
    await page.route('**/status.json', (route) => route.fulfill({ json: { ...hostile, ready: false } }));
    await page.goto(`${base}/`);
    await page.getByRole('status').getByText('Not ready').waitFor();
    const shown = (await page.locator('body').innerText()).match(/alert\([2-5]\)/g) ?? [];
    assert.ok(shown.length > 30, `${shown.length} texts are shown as they are`);
    assert.equal(await page.locator('img, main script, main svg[onload], main a').count(), 0);
    assert.equal(await page.locator('script').count(), 1);
    assert.deepEqual(complaints, []);
    assert.deepEqual(
      asked.filter((url) => !url.startsWith(`${base}/`)),
      [],
    );
    await context.close();
  });

  test('with a token it wants a login, and a logout ends it', async () => {
    await using locked = await startGateway(
      configuration(echo.url, `{ address: 127.0.0.1:0, tls: self-signed, token: ${TOKEN} }`),
    );
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const { page, complaints, asked } = await watch(context);
    const base = `https://127.0.0.1:${locked.port('admin')}`;
    const first = await page.goto(`${base}/`);
    assert.equal(first?.status(), 401);
    const enter = async (token: string) => {
      await page.getByLabel('Token of the admin listener').fill(token);
      await page.keyboard.press('Enter');
    };
    await enter('not-the-token-of-it');
    await page.getByRole('alert').getByText('not the token').waitFor();
    assert.deepEqual(await context.cookies(), []);
    await enter(TOKEN);
    await page.getByRole('status').getByText('Serving').waitFor();
    const [cookie] = await context.cookies();
    assert.deepEqual([cookie.httpOnly, cookie.secure, cookie.sameSite, cookie.path], [true, true, 'Strict', '/']);
    assert.equal(await page.evaluate('document.cookie'), '');
    await page.reload();
    await page.getByRole('status').getByText('Serving').waitFor();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Token of the admin listener').waitFor();
    assert.deepEqual(await context.cookies(), []);

    // A session that ends while the page is open leads back to the form.
    await enter(TOKEN);
    await page.getByRole('status').getByText('Serving').waitFor();
    await context.clearCookies();
    await page.getByLabel('Token of the admin listener').waitFor();
    // Chromium itself notes every 401.
    assert.deepEqual(
      complaints.filter((text) => !text.includes('401')),
      [],
    );
    assert.deepEqual(
      asked.filter((url) => !url.startsWith(`${base}/`)),
      [],
    );
    await context.close();
  });
});
