import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import fc from 'fast-check';
import { listSecrets, removeSecret, rotateSecrets, setSecret } from './changes.ts';
import { type KeyPlace, keyPlace } from './key-file.ts';
import { SecretLookup } from './lookup.ts';
import { SecretKey } from './secret-key.ts';
import { SecretsError } from './secrets-error.ts';

let folder: string;
let store: string;
let key: KeyPlace;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'portcullis-secrets-'));
  store = path.join(folder, 'secrets.yaml');
  key = keyPlace(store, undefined, {});
});
afterEach(() => rmSync(folder, { recursive: true }));

const set = (name: string, value: string, place = key) => setSecret(store, place, name, Buffer.from(value));

function get(name: string, environment: Record<string, string> = {}): string {
  using lookup = new SecretLookup({ environment, store });
  lookup.openStore();
  return lookup.get(name);
}

/** What `get` gives, or the words in which it refuses. Anything but a SecretsError is a defect. */
function attempt(name: string): { value?: string; refusal?: string } {
  try {
    return { value: get(name) };
  } catch (error) {
    assert.ok(error instanceof SecretsError, String(error));
    return { refusal: error.message };
  }
}

const read = () => readFileSync(store, 'utf8');
const lineOf = (name: string, text = read()) => text.split('\n').find((line) => line.startsWith(`  ${name}: `)) ?? '';

suite('the encrypted store', () => {
  test('gives back what was set, and holds nothing of it', async () => {
    await set('A', 'value-of-a');
    await set('B_2', 'value-of-b');
    await set('A', 'new-value-of-a');
    assert.deepEqual([get('A'), get('B_2')], ['new-value-of-a', 'value-of-b']);
    const text = read();
    for (const form of ['value-of-a', 'value-of-b'].flatMap((one) => [
      one,
      Buffer.from(one).toString('base64url').slice(0, 12),
    ])) {
      assert.ok(!text.includes(form));
    }
    assert.equal(statSync(store).mode & 0o777, 0o600);
    assert.equal(statSync(path.join(folder, 'secrets.key')).mode & 0o777, 0o600);
  });

  test('encrypts the same value differently each time, for each name', async () => {
    await set('A', 'same');
    const first = lineOf('A');
    await set('A', 'same');
    await set('B', 'same');
    assert.notEqual(lineOf('A'), first);
    assert.notEqual(lineOf('A').slice(4), lineOf('B').slice(4));
  });

  test('one changed byte, anywhere, and nothing is read', async () => {
    await set('ALPHA', 'value-of-alpha');
    await set('BETA', 'value-of-beta');
    const good = readFileSync(store);
    for (let at = 0; at < good.length; at += 1) {
      for (const bit of [1, 0x20]) {
        const bad = Buffer.from(good);
        bad[at] ^= bit;
        writeFileSync(store, bad);
        for (const name of ['ALPHA', 'BETA'])
          assert.equal(attempt(name).value, undefined, `byte ${at} (${String.fromCharCode(good[at])})`);
      }
    }
    writeFileSync(store, good);
    assert.equal(get('ALPHA'), 'value-of-alpha');
  });

  test('cut, lengthened, other line ends, comments: not read', async () => {
    await set('ALPHA', 'value-of-alpha');
    const good = read();
    const forms = [
      good.slice(0, -1),
      `${good}\n`,
      `${good}# x\n`,
      good.replaceAll('\n', '\r\n'),
      '',
      good + lineOf('ALPHA'),
      `\uFEFF${good}`,
    ];
    for (let end = 0; end < good.length; end += 7) forms.push(good.slice(0, end));
    for (const text of forms) {
      writeFileSync(store, text);
      assert.equal(attempt('ALPHA').value, undefined, JSON.stringify(text));
    }
  });

  test('a value under another name is detected and named', async () => {
    await set('ALPHA', 'value-of-alpha');
    await set('BETA', 'value-of-beta');
    const good = read();
    const swapped = good
      .replace(lineOf('ALPHA'), lineOf('BETA').replace('BETA', 'ALPHA'))
      .replace(/ {2}BETA: .*/, lineOf('ALPHA').replace('ALPHA', 'BETA'));
    assert.notEqual(swapped, good);
    writeFileSync(store, swapped);
    assert.match(attempt('ALPHA').refusal ?? '', /the value of ALPHA in .* does not verify/);
    writeFileSync(store, good.replace(lineOf('BETA', good), lineOf('ALPHA', good).replace('ALPHA', 'BETA')));
    assert.match(attempt('ALPHA').refusal ?? '', /the value of BETA in .* does not verify/);
  });

  test('what comes from an older state of the store is detected', async () => {
    await set('ALPHA', 'old-value');
    await set('GONE', 'x');
    const old = read();
    await set('ALPHA', 'new-value');
    await removeSecret(store, key, 'GONE');
    const now = read();
    const cases: [string, string][] = [
      ['an old value under its own name', now.replace(lineOf('ALPHA', now), lineOf('ALPHA', old))],
      ['an old value under another name', now + lineOf('ALPHA', old).replace('ALPHA', 'BETA') + '\n'],
      ['a removed entry put back', `${now}${lineOf('GONE', old)}\n`],
      ['an entry taken away', now.replace(/secrets:\n.*\n/, 'secrets: {}\n')],
      ['an old seal', now.replace(/seal: .*/, /seal: .*/.exec(old)?.[0] ?? '')],
    ];
    for (const [name, text] of cases) {
      writeFileSync(store, text);
      assert.match(attempt('ALPHA').refusal ?? 'read', /was changed|does not verify/, name);
      await assert.rejects(set('MORE', 'x'), SecretsError, `${name}: it must not be sealed anew`);
    }
    writeFileSync(store, now);
    assert.equal(get('ALPHA'), 'new-value');
  });

  test('any text comes back as it was', async () => {
    const one = new SecretKey(randomBytes(32));
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 50 }), async (text) => {
        const value = Buffer.from(text.toWellFormed());
        assert.deepEqual(one.open('A', one.seal('A', value)), value);
        assert.equal(one.open('B', one.seal('A', value)), undefined);
      }),
    );
  });

  test('ten programs at once lose nothing', async () => {
    await Promise.all(Array.from({ length: 10 }, (_, i) => set(`NAME_${i}`, `value ${i}`)));
    for (let i = 0; i < 10; i += 1) assert.equal(get(`NAME_${i}`), `value ${i}`);
  });
});

suite('the key', () => {
  test('of a mode that others may use is refused, with advice', async () => {
    await set('A', 'x');
    const file = path.join(folder, 'secrets.key');
    for (const mode of [0o644, 0o640, 0o604, 0o660, 0o666, 0o620, 0o602, 0o610]) {
      chmodSync(file, mode);
      assert.match(attempt('A').refusal ?? '', /mode 0\d{3}\): run `chmod 600 .*secrets\.key`/);
    }
    for (const mode of [0o600, 0o400]) {
      chmodSync(file, mode);
      assert.equal(get('A'), 'x');
    }
  });

  test('that is missing, broken, another one', async () => {
    await set('A', 'x');
    const file = path.join(folder, 'secrets.key');
    const good = readFileSync(file, 'utf8');
    const cases: [string, RegExp][] = [
      ['', /holds no key/],
      ['# only a comment\n', /holds no key/],
      ['correct horse battery staple', /holds something that is no key/],
      [good.trim().slice(1), /holds something that is no key/],
      [randomBytes(16).toString('base64'), /holds something that is no key/],
      [`${good}${good}`, /the same key twice/],
      [randomBytes(32).toString('base64'), /is encrypted with the key [0-9a-f]{16}, but .* holds [0-9a-f]{16}$/],
    ];
    for (const [text, expected] of cases) {
      writeFileSync(file, text);
      const { refusal = 'read' } = attempt('A');
      assert.match(refusal, expected);
      assert.ok(text.length < 20 || !refusal.includes(text.trim()), 'nothing of the file is shown');
    }
    rmSync(file);
    assert.match(
      attempt('A').refusal ?? '',
      /there is no key for .*neither PORTCULLIS_SECRETS_KEY in the environment nor the file/,
    );
    await assert.rejects(set('B', 'y'), /there is no key for/, 'a new key could not open what is there');
  });

  test('from the environment, in Base64 or hexadecimal', async () => {
    const bytes = randomBytes(32);
    for (const text of [
      bytes.toString('base64'),
      bytes.toString('base64url'),
      bytes.toString('hex'),
      ` ${bytes.toString('base64')}\n`,
    ]) {
      await set('A', `by ${text.length}`, keyPlace(store, undefined, { PORTCULLIS_SECRETS_KEY: text }));
      assert.equal(get('A', { PORTCULLIS_SECRETS_KEY: bytes.toString('hex') }), `by ${text.length}`);
    }
  });
});

suite('rotation', () => {
  test('encrypts all anew and leaves one key', async () => {
    await set('A', 'a');
    await set('B', 'b');
    const before = read();
    const oldKey = readFileSync(path.join(folder, 'secrets.key'), 'utf8');
    const { count } = await rotateSecrets(store, key);
    assert.equal(count, 2);
    assert.deepEqual([get('A'), get('B')], ['a', 'b']);
    const newKey = readFileSync(path.join(folder, 'secrets.key'), 'utf8');
    assert.ok(!newKey.includes(oldKey.trim()));
    for (const name of ['A', 'B']) assert.notEqual(lineOf(name), lineOf(name, before));
    assert.equal(new Set(listSecrets(store, key).names.map(([, id]) => id)).size, 1);
  });

  test('stopped at any step can be read, and be finished', async () => {
    await set('A', 'a');
    const keyFile = path.join(folder, 'secrets.key');
    const [oldStore, oldKey] = [read(), readFileSync(keyFile, 'utf8')];
    await rotateSecrets(store, key);
    const [newStore, newKey] = [read(), readFileSync(keyFile, 'utf8')];
    for (const [storeText, keyText] of [
      [oldStore, oldKey],
      [oldStore, newKey + oldKey],
      [newStore, newKey + oldKey],
      [newStore, newKey],
    ]) {
      writeFileSync(store, storeText);
      writeFileSync(keyFile, keyText);
      assert.equal(get('A'), 'a');
      await rotateSecrets(store, key);
      assert.equal(get('A'), 'a');
    }
  });

  test('changes nothing when the store does not verify', async () => {
    await set('A', 'a');
    writeFileSync(store, read().replace(/.{4}\n$/, 'AAAA\n'));
    const before = [read(), readFileSync(path.join(folder, 'secrets.key'), 'utf8')];
    await assert.rejects(rotateSecrets(store, key), SecretsError);
    assert.deepEqual([read(), readFileSync(path.join(folder, 'secrets.key'), 'utf8')], before);
  });

  test('with keys of the environment: the first of two encrypts', async () => {
    const [one, two] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
    const place = (text: string) => keyPlace(store, undefined, { PORTCULLIS_SECRETS_KEY: text });
    await set('A', 'a', place(one));
    await assert.rejects(rotateSecrets(store, place(one)), /put a new one .* before it/);
    await rotateSecrets(store, place(`${two} ${one}`));
    assert.equal(get('A', { PORTCULLIS_SECRETS_KEY: two }), 'a');
  });

  test('a reader beside it always finds the value', async () => {
    await set('A', 'a');
    let done = false;
    const rotating = (async () => {
      for (let i = 0; i < 15; i += 1) await rotateSecrets(store, key);
      done = true;
    })();
    let reads = 0;
    while (!done) {
      assert.equal(get('A'), 'a');
      reads += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await rotating;
    assert.ok(reads > 0);
  });
});
