/** curl against the gateway: what people paste, and what scripts rely on. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { hashOf, pattern } from '../support/services.ts';
import { type House, MIB, openHouse, TEXT } from './house.ts';
import { allQuestions, compare, type Question, type Seen, seen } from './questions.ts';
import { missing, run } from './tools.ts';

describe('curl', { skip: missing('curl', '--version') }, () => {
  let house: House;
  let folder = '';
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'portcullis-curl-'));
    house = await openHouse();
  });
  after(async () => {
    await house?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Standard output of curl, with everything that it complains about. */
  const curl = async (...args: string[]): Promise<string> => {
    const fixed = ['-q', '-sS', '--noproxy', '*', '--max-time', '20', '--cacert', house.certificates.ca];
    const { code, stdout, stderr } = await run('curl', [...fixed, ...args]);
    assert.equal(code, 0, `curl ${args.join(' ')}: ${stderr}`);
    return stdout.toString('latin1');
  };

  const ask = async (base: string, version: string, { name, method, path: where, body, chunked }: Question): Promise<Seen> => {
    const [head, answer] = [path.join(folder, 'head'), path.join(folder, 'answer')];
    await writeFile(answer, '');
    const how = method === 'HEAD' ? ['-I'] : ['-X', method];
    // HTTP/2 has no transfer coding: an upload from standard input has no length there either.
    const length = chunked === true && version !== '--http2' ? ['-H', 'transfer-encoding: chunked'] : [];
    const sent =
      body === undefined ? [] : ['--data-binary', `@${body}`, '-H', 'content-type: application/octet-stream', ...length];
    const status = await curl(version, ...how, ...sent, '-D', head, '-o', answer, '-w', '%{http_code}', base + where);
    const bytes = method === 'HEAD' ? Buffer.alloc(0) : await readFile(answer);
    return seen(name, Number(status), lastHead(await readFile(head, 'latin1')), bytes);
  };

  const versions = [
    ['--http1.1', 'plain', []],
    ['--http1.1', 'secure', []],
    ['--http2', 'secure', []],
    // What has no length cannot be sent with HTTP/1.0.
    ['--http1.0', 'plain', ['POST without a length', '413 without a length']],
    ['--http1.0', 'secure', ['POST without a length', '413 without a length']],
  ] as const;
  for (const [version, scheme, except] of versions) {
    test(`${version}, ${scheme}: the answers to all questions`, async () => {
      const questions = await allQuestions(folder, except);
      const answers: Seen[] = [];
      for (const question of questions) answers.push(await ask(house[scheme], version, question));
      compare(questions, answers);
    });
  }

  for (const [version, spoken] of [
    ['--http1.1', '1.1'],
    ['--http2', '2'],
  ] as const) {
    const file = () => path.join(folder, `of-curl-${spoken}`);

    test(`${version}: several URLs over one connection`, async () => {
      const urls = [1, 2, 3, 4, 5].map((n) => `${house.secure}/bytes/${n * 1000}`);
      const shown = await curl(
        version,
        ...urls.flatMap((url) => ['-o', '/dev/null', url]),
        '-w',
        '%{http_version} %{http_code} %{num_connects} %{size_download}\n',
      );
      assert.equal(shown, [1, 2, 3, 4, 5].map((n) => `${spoken} 200 ${n === 1 ? 1 : 0} ${n * 1000}\n`).join(''));
    });

    test(`${version}: -T uploads a file, and standard input`, async () => {
      await writeFile(file(), pattern(3 * MIB));
      const whole = await curl(
        version,
        '-T',
        file(),
        '-o',
        `${file()}.back`,
        '-w',
        '%{http_code} %{size_upload}',
        `${house.secure}/echo`,
      );
      assert.equal(whole, `200 ${3 * MIB}`);
      assert.equal(hashOf(await readFile(`${file()}.back`)), hashOf(pattern(3 * MIB)));
      const piped = await run(
        'sh',
        ['-c', `curl -q -sS ${version} --cacert '${house.certificates.ca}' -T - '${house.secure}/echo'`],
        pattern(200_000),
      );
      assert.equal(hashOf(piped.stdout), hashOf(pattern(200_000)), piped.stderr);
    });

    test(`${version}: --compressed`, async () => {
      assert.equal(await curl(version, '--compressed', `${house.secure}/text`), TEXT);
      assert.match(
        await curl(version, '-D', '-', '-o', '/dev/null', '--compressed', `${house.secure}/text`),
        /^content-encoding: gzip\r$/m,
      );
      assert.doesNotMatch(await curl(version, '-D', '-', '-o', '/dev/null', `${house.secure}/text`), /content-encoding/);
    });

    test(`${version}: -r asks for a part, -C goes on where it ended`, async () => {
      const bytes = pattern(100_000);
      const part = await curl(version, '-r', '100-199', '-D', '-', `${house.secure}/bytes/100000`);
      assert.match(part, /^HTTP\/\S+ 206[^]*^content-range: bytes 100-199\/100000\r$/m);
      assert.ok(part.endsWith(`\r\n\r\n${bytes.toString('latin1', 100, 200)}`));
      await writeFile(file(), bytes.subarray(0, 40_000));
      await curl(version, '-C', '-', '-o', file(), `${house.secure}/bytes/100000`);
      assert.equal(hashOf(await readFile(file())), hashOf(bytes));
    });

    test(`${version}: a page that has not changed is not sent again`, async () => {
      await curl(version, '--etag-save', `${file()}.etag`, '-o', '/dev/null', `${house.secure}/bytes/500`);
      const again = await curl(
        version,
        '--etag-compare',
        `${file()}.etag`,
        '-o',
        `${file()}.none`,
        '-w',
        '%{http_code} %{size_download}',
        `${house.secure}/bytes/500`,
      );
      assert.equal(again, '304 0');
    });

    test(`${version}: Expect: 100-continue`, async () => {
      await writeFile(file(), pattern(MIB));
      const expect = [
        version,
        '-H',
        'expect: 100-continue',
        '--expect100-timeout',
        '10',
        '--data-binary',
        `@${file()}`,
        '-o',
        '/dev/null',
      ];
      const heads = await curl(...expect, '-D', '-', `${house.secure}/echo`);
      assert.match(heads, /^HTTP\/\S+ 100 ?(?:Continue)?\r\n\r\nHTTP\/\S+ 200/);
      // What is refused is not uploaded first.
      assert.equal(await curl(...expect, '-w', '%{http_code} %{size_upload}', `${house.secure}/small`), '413 0');
      assert.equal(await curl(...expect, '-w', '%{http_code} %{size_upload}', `${house.secure}/nowhere`), '404 0');
    });

    test(`${version}: server-sent events`, async () => {
      assert.equal(
        await curl(version, '-N', `${house.secure}/events`),
        'id: 1\ndata: event 1\n\nid: 2\ndata: event 2\n\nid: 3\ndata: event 3\n\n',
      );
    });
  }

  test('--parallel over one HTTP/2 connection', async () => {
    const urls = Array.from({ length: 30 }, (_, n) => `${house.secure}/bytes/${100_000 + n}`);
    const shown = await curl(
      '--http2',
      '--parallel',
      '-w',
      '%{http_code} %{size_download}\n',
      ...urls.flatMap((url) => ['-o', '/dev/null', url]),
    );
    assert.deepEqual(shown.trim().split('\n').sort(), urls.map((_, n) => `200 ${100_000 + n}`).sort());
  });

  test('HTTP/1.0 gets an answer that ends with the connection, or is kept when it asks for that', async () => {
    assert.match(await curl('--http1.0', '-i', `${house.plain}/bytes/10`), /^HTTP\/1\.1 200 OK\r\n[^]*connection: close\r\n/);
    const url = `${house.plain}/bytes/10`;
    const kept = await curl(
      '--http1.0',
      '-H',
      'connection: keep-alive',
      '-w',
      '%{num_connects}',
      '-o',
      '/dev/null',
      url,
      '-o',
      '/dev/null',
      url,
    );
    assert.equal(kept, '10');
    assert.equal(hashOf(Buffer.from(await curl('--http1.0', `${house.plain}/chunked/70001`), 'latin1')), hashOf(pattern(70_001)));
  });

  test('what it warns of: a certificate of nobody, HTTP/2 without TLS', async () => {
    const { code } = await run('curl', ['-q', '-sS', '--max-time', '10', `${house.secure}/bytes/1`]);
    assert.equal(code, 60);
    const knowing = await run('curl', ['-q', '-sS', '--max-time', '10', '--http2-prior-knowledge', `${house.plain}/bytes/1`]);
    assert.notEqual(knowing.code, 0);
    // An offer to change the protocol is not taken, and does no harm.
    assert.equal(await curl('--http2', '-w', '%{http_version}', '-o', '/dev/null', `${house.plain}/bytes/1`), '1.1');
  });
});

/** The fields of the last head of what `-D` wrote; the ones before are interim. */
function lastHead(text: string): Record<string, string> {
  const lines = text.trimEnd().split('\r\n\r\n').at(-1)?.split('\r\n').slice(1) ?? [];
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
}
