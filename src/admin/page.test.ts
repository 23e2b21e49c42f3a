import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { PageFiles } from './files.ts';

const FOLDER = path.join(import.meta.dirname, 'page');
const read = (name: string) => readFileSync(path.join(FOLDER, name), 'utf8');
const names = readdirSync(FOLDER);
const scripts = names.filter((name) => name.endsWith('.js'));

describe('the files of the page', () => {
  const files = new PageFiles();

  test('are all served, with their types, and asked for again', () => {
    for (const name of [...scripts, 'page.css']) {
      const url = `/page/${name}`;
      const reply = files.style(url, undefined) ?? files.script(url, undefined);
      assert.equal(reply?.status, 200, name);
      assert.equal(reply.type, name.endsWith('.js') ? 'text/javascript; charset=utf-8' : 'text/css; charset=utf-8');
      assert.equal(reply.body.toString(), read(name));
      const tag = reply.headers?.etag ?? '';
      assert.match(tag, /^"[\w-]{22}"$/);
      assert.equal(reply.headers?.['cache-control'], 'no-cache');
      for (const known of [tag, `W/${tag}`, `"other", ${tag}`]) {
        assert.equal((files.style(url, known) ?? files.script(url, known))?.status, 304, known);
      }
      assert.equal((files.style(url, '"other"') ?? files.script(url, '"other"'))?.status, 200);
    }
  });

  test('nothing else of the folder is', () => {
    for (const url of [
      '/page/index.html',
      '/page/tsconfig.json',
      '/page/../files.ts',
      '/page/',
      '/page/__proto__',
      'constructor',
    ]) {
      assert.equal(files.style(url, undefined) ?? files.script(url, undefined), undefined, url);
    }
  });

  test('the policy allows the page what it needs and nothing else', () => {
    for (const reply of [files.page(false), files.page(true), files.login(200), files.login(401, 'No.')]) {
      assert.equal(
        reply.headers?.['content-security-policy'],
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
          "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
      );
      assert.doesNotMatch(reply.body.toString(), /<!-- (?:logout|alert) -->/);
    }
  });

  test('there is no script or style inside the markup, and no address of anybody else', () => {
    for (const name of ['index.html', 'login.html']) {
      const text = read(name);
      assert.doesNotMatch(text, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:/i, name);
      for (const [, url] of text.matchAll(/\b(?:src|href|action)="([^"]*)"/g)) {
        assert.match(url, /^(?:\/(?!\/)|#|data:image\/svg\+xml,)/, `${name}: ${url}`);
      }
    }
    for (const name of [...scripts, 'page.css']) {
      const text = read(name).replaceAll('http://www.w3.org/2000/svg', '');
      assert.doesNotMatch(text, /https?:|url\(|@import(?! \{)|\/\/[a-z]+\./i, name);
    }
  });

  test('no script makes markup or code of text', () => {
    const makers =
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|srcdoc|\beval\b|new Function|setHTML/;
    for (const name of scripts) assert.doesNotMatch(read(name), makers, name);
  });
});

/** What the page's module for rates gives; the compiler of the server does not read the page. */
interface Rates {
  History: new () => {
    points: { slow?: number; running: number }[];
    push(status: object): void;
    rate(read: (status: Look) => number | undefined): number | undefined;
    quantile(q: number, read: (status: Look) => number[]): number | undefined;
  };
  quantile(q: number, bounds: number[], buckets: number[]): number | undefined;
  rateNow(seconds: number[]): number | undefined;
  ratesOf(seconds: number[]): number[];
}

interface Look {
  started: number;
  time: number;
  traffic: { requests: number; refused: number; errors: number; faults: number; bounds: number[]; buckets: number[] };
}

describe('rates', () => {
  let rates: Rates;
  before(async () => {
    rates = (await import(path.join(FOLDER, 'rates.js'))) as Rates;
  });

  const look = (time: number, requests: number, buckets = [requests, 0, 0], started = 1): Look & object => ({
    started,
    time,
    traffic: { requests, refused: 0, errors: 0, faults: 0, bounds: [0.01, 0.1], buckets },
    ...{ listeners: [], running: 0 },
  });
  const requests = (one: Look) => one.traffic.requests;
  const buckets = (one: Look) => one.traffic.buckets;

  test('one look has no rate, two have, and only the last ten seconds count', () => {
    const history = new rates.History();
    assert.equal(history.rate(requests), undefined);
    history.push(look(0, 1000));
    assert.equal(history.rate(requests), undefined);
    assert.equal(history.quantile(0.5, buckets), undefined, 'what was before the page is not of the last minute');
    history.push(look(2000, 1010));
    assert.equal(history.rate(requests), 5);
    for (let time = 4000; time <= 20_000; time += 2000) history.push(look(time, 1010 + time / 1000));
    assert.equal(history.rate(requests), 1);
  });

  test('after a pause the rate is that since the last look before it', () => {
    const history = new rates.History();
    history.push(look(0, 0));
    history.push(look(1000, 0));
    history.push(look(101_000, 1000));
    assert.equal(history.rate(requests), 10);
  });

  test('a gateway that began anew has no past', () => {
    const history = new rates.History();
    history.push(look(0, 1000));
    history.push(look(2000, 2000));
    history.push(look(4000, 5, [5, 0, 0], 2));
    assert.equal(history.rate(requests), undefined);
    assert.equal(history.points.length, 1);
    history.push(look(6000, 25, [25, 0, 0], 2));
    assert.equal(history.rate(requests), 10);
    history.push(look(8000, 3, [3, 0, 0], 2));
    assert.equal(history.rate(requests), undefined, 'fewer than before: another one, whatever it says');
  });

  test('quantiles are those of the last minute', () => {
    const history = new rates.History();
    history.push(look(0, 100, [100, 0, 0]));
    for (let time = 2000; time <= 120_000; time += 2000) history.push(look(time, 100 + time / 1000, [100, time / 1000, 0]));
    const slow = history.quantile(0.5, buckets) ?? 0;
    assert.ok(slow > 0.01 && slow < 0.1, String(slow));
  });

  test('what the gateway tells second by second is the rate of its end, and a line', () => {
    assert.equal(rates.rateNow([]), undefined);
    assert.equal(rates.rateNow([3]), 3);
    assert.equal(rates.rateNow([1000, ...Array.from({ length: 9 }, () => 0), 20]), 2);
    assert.deepEqual(rates.ratesOf([]), []);
    assert.deepEqual(rates.ratesOf([9, 1, 2, 3, 4, 8, 8, 8, 8]), [9, 2.5, 8]);
    assert.equal(rates.ratesOf(Array.from({ length: 600 }, () => 1)).length, 150);
  });

  test('no more is kept than is shown', () => {
    const history = new rates.History();
    for (let i = 0; i < 1000; i++) history.push(look(i * 2000, i));
    assert.equal(history.points.length, 150);
  });

  test('quantiles lie within their bucket; above the last bound it is the bound', () => {
    const bounds = [1, 2, 4];
    assert.equal(rates.quantile(0.5, bounds, [0, 0, 0, 0]), undefined);
    assert.equal(rates.quantile(0.5, bounds, []), undefined);
    assert.equal(rates.quantile(0.5, bounds, [10, 0, 0, 0]), 0.5);
    assert.equal(rates.quantile(0.5, bounds, [0, 10, 0, 0]), 1.5);
    assert.equal(rates.quantile(0.99, bounds, [0, 0, 100, 0]), 3.98);
    assert.equal(rates.quantile(0.99, bounds, [1, 0, 0, 99]), 4);
    assert.equal(rates.quantile(1, bounds, [1, 1, 0, 0]), 2);
  });
});
