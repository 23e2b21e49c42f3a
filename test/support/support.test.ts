import assert from 'node:assert/strict';
import test from 'node:test';
import tls from 'node:tls';
import { readFile } from 'node:fs/promises';
import { fieldsOf, startEcho } from './echo.ts';
import { parseResponse, parseResponses, rawRequest } from './raw.ts';
import { tlsFiles } from './tls.ts';

test('the echo shows requests exactly as they came, over one connection or two', async () => {
  await using echo = await startEcho();
  const first = 'POST /a?b HTTP/1.1\r\nhOst: x\r\nX-Twice: 1\r\nx-twice: 2\r\nContent-Length: 3\r\n\r\nabc';
  const second = 'PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1;x=y\r\nf\r\n0\r\nT: 1\r\n\r\n';
  const received = await rawRequest(echo.port, [first + second.slice(0, 70), second.slice(70)], { until: /"def"/ });
  const answers = parseResponses(received).map((answer) => JSON.parse(answer.body.toString()));
  assert.deepEqual(
    answers.map((answer) => [answer.method, answer.target, answer.body]),
    [
      ['POST', '/a?b', 'abc'],
      ['PUT', '/c', 'def'],
    ],
  );
  assert.deepEqual(
    echo.requests.map((request) => request.raw.toString()),
    [first, second],
  );
  assert.deepEqual(fieldsOf(echo.requests[0], 'X-Twice'), ['1', '2']);
  await rawRequest(echo.port, 'GET / HTTP/1.1\r\n\r\n', { until: /"body"/ });
  assert.equal(echo.connections(), 2);
  assert.deepEqual(
    echo.requests.map((request) => request.connection),
    [1, 1, 2],
  );
});

test('the echo keeps what was no complete request, and can answer with anything', async () => {
  await using echo = await startEcho({
    answer: (request, socket) => {
      if (request.target !== '/close') return 'HTTP/1.1 204 No Content\r\n\r\n';
      socket.destroy();
      return '';
    },
  });
  assert.equal(parseResponse(await rawRequest(echo.port, 'GET / HTTP/1.1\r\n\r\nGET /half', { until: /204/ })).status, 204);
  assert.equal((await rawRequest(echo.port, 'GET /close HTTP/1.1\r\n\r\n')).length, 0);
  await echo.stop();
  assert.deepEqual(
    echo.leftovers.map((bytes) => bytes.toString()),
    ['GET /half'],
  );
});

test('answers are read out of bytes: several, chunked, cut off, or none at all', () => {
  const read = (text: string): unknown[] =>
    parseResponses(Buffer.from(text, 'latin1')).map(({ status, body, complete }) => [status, body.toString('latin1'), complete]);
  const cases: [string, unknown[]][] = [
    [
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 400 \r\nContent-Length: 0\r\n\r\n',
      [
        [200, 'ab', true],
        [400, '', true],
      ],
    ],
    [
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
      [
        [100, '', true],
        [200, 'x', true],
      ],
    ],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nx\r\n', [[200, 'x\r\n', false]]],
    ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx', [[200, 'x', false]]],
    ['HTTP/1.0 200 OK\r\n\r\nto the end', [[200, 'to the end', true]]],
    ['nonsense', [[0, 'nonsense', false]]],
    ['', []],
  ];
  for (const [text, expected] of cases) assert.deepEqual(read(text), expected, JSON.stringify(text));
});

test('certificates are signed by the authority and hold for their names only', async () => {
  await using files = await tlsFiles(['api.example.test,127.0.0.1', '*.other.test']);
  const { certificate, key } = files.of('api.example.test,127.0.0.1');
  const server = tls.createServer({ cert: await readFile(certificate), key: await readFile(key) }, (socket) =>
    socket.end('hello'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = (server.address() as { port: number }).port;
  const ca = await readFile(files.ca);
  try {
    assert.equal((await rawRequest(port, '', { tls: { ca, rejectUnauthorized: true } })).toString(), 'hello');
    await assert.rejects(rawRequest(port, '', { tls: { ca, rejectUnauthorized: true, servername: 'x.other.test' } }), {
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    await assert.rejects(rawRequest(port, '', { tls: { rejectUnauthorized: true, servername: 'api.example.test' } }));
    const renewed = await files.issue('*.other.test');
    assert.notEqual(await readFile(renewed.certificate, 'utf8'), await readFile(certificate, 'utf8'));
  } finally {
    server.close();
  }
});
