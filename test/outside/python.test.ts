/** Python's standard library against the gateway. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type House, openHouse } from './house.ts';
import { allQuestions, compare, type Seen } from './questions.ts';
import { missing, run } from './tools.ts';

const CLIENT = path.join(import.meta.dirname, 'python/client.py');

describe('Python', { skip: missing('python3', '-c', 'import ssl') }, () => {
  let house: House;
  let folder = '';
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'portcullis-python-'));
    house = await openHouse();
  });
  after(async () => {
    await house?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const python = async (mode: string, base: string, except: readonly string[] = []) => {
    const questions = await allQuestions(folder, except);
    const { code, stdout, stderr } = await run('python3', [CLIENT, mode, base, house.certificates.ca], JSON.stringify(questions));
    assert.equal(code, 0, stderr);
    const { seen, connections } = JSON.parse(stdout.toString()) as { seen: Seen[]; connections: number };
    compare(questions, seen);
    const closed = seen.filter(({ headers }) => headers.connection === 'close').map(({ name }) => name);
    const bodiless = questions.filter(({ body }) => body === undefined).map(({ name }) => name);
    return { connections, closed, wronglyClosed: closed.filter((name) => bodiless.includes(name)) };
  };

  for (const scheme of ['plain', 'secure'] as const) {
    test(`http.client over ${scheme} connections`, async () => {
      const { connections, closed, wronglyClosed } = await python('http.client', house[scheme]);
      // Only an answer that did not wait for the body of its request ends the connection, and says so.
      assert.equal(connections, 1 + closed.length, closed.join(', '));
      assert.deepEqual(wronglyClosed, []);
    });
    test(`urllib over ${scheme} connections`, async () => {
      await python('urllib', house[scheme]);
    });
  }

  const ssl = async (lines: string) => run('python3', ['-c', `import ssl, socket\n${lines}`]);
  const address = () => `('localhost', ${house.gateway.port('secure')})`;

  test('ssl: versions, ALPN, and a certificate of nobody', async () => {
    const look = (setup: string) =>
      ssl(`
context = ssl.create_default_context(cafile=${JSON.stringify(house.certificates.ca)})
${setup}
with socket.create_connection(${address()}) as s, context.wrap_socket(s, server_hostname='localhost') as t:
    print(t.version(), t.selected_alpn_protocol())`);
    assert.equal((await look('')).stdout.toString(), 'TLSv1.3 None\n');
    assert.equal((await look('context.maximum_version = ssl.TLSVersion.TLSv1_2')).stdout.toString(), 'TLSv1.2 None\n');
    assert.equal((await look("context.set_alpn_protocols(['h2', 'http/1.1'])")).stdout.toString(), 'TLSv1.3 h2\n');
    assert.equal((await look("context.set_alpn_protocols(['http/1.1'])")).stdout.toString(), 'TLSv1.3 http/1.1\n');
    const old = await look(
      "context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1\ncontext.set_ciphers('ALL:@SECLEVEL=0')",
    );
    assert.notEqual(old.code, 0);
    assert.match((await look('context = ssl.create_default_context()')).stderr, /CERTIFICATE_VERIFY_FAILED/);
  });
});
