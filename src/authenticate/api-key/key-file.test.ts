import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseTime } from './entry.ts';
import { EMPTY, formatKeyFile, type KeyFile, KeyFileError, parseKeyFile, parseLines, parseYaml } from './key-file.ts';

const HASH = 'q6C7iG7K4acAqxUX34z2eqWPgJYq9cAhuoST2it9tyE';
const OTHER = 'YpdWTAFyTc4qlzHib4wXQilonoh-0ohiQnfDOgVzvmk';
const WITH = 'hashed-with: hmac-sha256/5791e40edf484333';

const WRITTEN = `# Partners. Ask Ada before you add one.
${WITH}
keys:
  # of 2026
  - {"id":"alice","hash":"${HASH}","created":"2026-11-24T16:30:31.896Z","plan":"free","scopes":["a:b","c"]}
  - {"id":"bob@shop.test","hash":"${OTHER}","created":"2026-11-24","expires":"2027-01-31","roles":["x"]}

# the end
`;

describe('what the command wrote', () => {
  test('is read line by line, and written back as it was', () => {
    const file = parseLines(WRITTEN);
    assert.ok(file);
    assert.deepEqual(
      file.keys.map(({ entry }) => entry.id),
      ['alice', 'bob@shop.test'],
    );
    assert.equal(file.hashedWith, 'hmac-sha256/5791e40edf484333');
    assert.equal(formatKeyFile(file), WRITTEN);
  });

  test('says the same to the parser of YAML', () => {
    const [lines, yaml] = [parseLines(WRITTEN), parseYaml('keys.yaml', WRITTEN)];
    assert.deepEqual(entries(yaml), entries(lines as KeyFile));
  });

  test('may be empty', () => {
    for (const text of ['keys: []\n', `# nothing yet\n${WITH}\nkeys: []\n`, '{"keys":[]}']) {
      assert.deepEqual(parseKeyFile('keys.yaml', text).keys, [], JSON.stringify(text));
    }
    assert.deepEqual(parseKeyFile('keys.yaml', formatKeyFile(EMPTY)).keys, []);
  });
});

test('YAML in another form is read too, and its comments are kept when it is written again', () => {
  const text = `# Partners.
${WITH}
keys:
  # the first
  - id: alice
    hash: ${HASH}
    created: 2026-11-24
    scopes: [a, b]
  - { id: "bob", hash: '${OTHER}', created: 2026-11-24T10:00:00+01:00 }
# the end
`;
  assert.equal(parseLines(text), undefined);
  const written = formatKeyFile(parseKeyFile('keys.yaml', text));
  assert.deepEqual(entries(parseLines(written) as KeyFile), entries(parseKeyFile('keys.yaml', text)));
  for (const comment of ['# Partners.', '# the first', '# the end']) assert.ok(written.includes(comment), written);
});

describe('what is wrong is told with its line and column', () => {
  const entry = (members: string) => `${WITH}\nkeys:\n  - {"id":"alice","hash":"${HASH}","created":"2026-11-24"${members}}\n`;
  const cases: [string, string, RegExp][] = [
    ['nothing', '', /^keys\.yaml:1:1: is empty: a file without keys says `keys: \[\]`/],
    ['nothing but comments', '# soon\n\n', /^keys\.yaml:1:1: is empty/],
    ['an empty document', '---\n', /^keys\.yaml:1:1: is empty/],
    ['no keys', `${WITH}\n`, /^keys\.yaml:1:1: keys: the keys are a list/],
    ['no YAML', 'keys:\n  - {"id": \n', /^keys\.yaml:\d+:\d+: /],
    ['a text', 'hello\n', /^keys\.yaml:1:1: a file of keys is a mapping/],
    ['another file', 'listeners: {}\n', /^keys\.yaml:1:1: /],
    ['an unknown member', entry(',"colour":"red"'), /^keys\.yaml:3:5: .*colour/],
    ['a prototype', entry(',"__proto__":{"id":"bob"}'), /^keys\.yaml:3:5: .*__proto__/],
    ['an id like a prototype', entry('').replace('alice', '__proto__'), /^keys\.yaml:3:11: id: an id is/],
    ['an id that is a number', entry('').replace('"alice"', '7'), /^keys\.yaml:3:11: id: an id is text: write it in quotes/],
    ['no id', entry('').replace('"id":"alice",', ''), /^keys\.yaml:3:5: id: /],
    ['a short hash', entry('').replace(HASH, HASH.slice(1)), /^keys\.yaml:3:26: hash: this is no hash/],
    ['a key instead of a hash', entry('').replace(HASH, 'pcl_abc'), /^keys\.yaml:3:26: hash: this is no hash/],
    ['a day that is none', entry(',"expires":"2027-02-30"'), /^keys\.yaml:3:\d+: expires: this is no time/],
    ['a scope with a space', entry(',"scopes":["a","b c"]'), /^keys\.yaml:3:109: scopes: a scope is/],
    ['a member twice', entry(',"plan":"free","plan":"pro"'), /^keys\.yaml:3:\d+: .*unique/],
    ['an id twice', `${entry('')}  - {"id":"alice","hash":"${OTHER}","created":"2026-11-24"}\n`, /^keys\.yaml:4:5: .*twice/],
    ['a hash twice', `${entry('')}  - {"id":"bob","hash":"${HASH}","created":"2026-11-24"}\n`, /^keys\.yaml:4:5: .*twice/],
    ['an old hash twice', entry(`,"previous":{"hash":"${HASH}","until":"2027-01-01"}`), /^keys\.yaml:3:5: .*twice/],
    ['keys twice', `${entry('')}keys: []\n`, /^keys\.yaml:4:1: .*unique/],
    ['another hash function', entry('').replace('hmac-sha256/', 'md5/'), /^keys\.yaml:1:14: hashed-with: /],
    ['an alias', `${WITH}\nkeys:\n  - &a {"id":"alice","hash":"${HASH}","created":"2026-11-24"}\n  - *a\n`, /no aliases/],
    ['two documents', `${entry('')}---\nkeys: []\n`, /^keys\.yaml:\d+:\d+: /],
  ];
  for (const [name, text, expected] of cases) {
    test(name, () => {
      assert.throws(
        () => parseKeyFile('keys.yaml', text),
        (error: Error) => {
          assert.ok(error instanceof KeyFileError, error.stack);
          assert.match(error.message, expected);
          return true;
        },
      );
    });
  }
});

test('both readings agree on whatever either takes for a file', () => {
  const mostly = <T>(right: fc.Arbitrary<T>, wrong: fc.Arbitrary<T>) => fc.oneof({ weight: 20, arbitrary: right }, wrong);
  const members = fc.record(
    {
      id: fc.stringMatching(/^[A-Za-z0-9]{1,8}$/),
      hash: fc.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      created: fc.constantFrom('2026-11-24', '2026-11-24T10:00:00.000Z'),
      scopes: fc.array(mostly(fc.stringMatching(/^[!#-[\]-~]{1,6}$/), fc.string()), { maxLength: 3 }),
      plan: mostly(fc.constant('free'), fc.string({ unit: 'binary' })),
      revoked: mostly(fc.constant('2026-11-24'), fc.constant('yes')),
      ['__proto__']: mostly(fc.constant(undefined), fc.constant('x')),
    },
    { requiredKeys: ['id', 'hash', 'created'] },
  );
  const line = fc.oneof(
    { weight: 8, arbitrary: members.map((entry) => `  - ${JSON.stringify(entry)}`) },
    fc.constantFrom('# a comment', '', '   # deep', '  - {}', ' - {"a":1}', 'keys:', 'x: 1', '\t# tab', '#', '...', '---'),
    fc.string({ unit: 'grapheme' }).map((text) => `# ${text.replace(/[\r\n\u2028\u2029\u0085]/g, '')}`),
  );
  const text = fc.array(line, { maxLength: 6 }).map((lines) => `${[WITH, 'keys:', ...lines].join('\n')}\n`);
  let fast = 0;
  fc.assert(
    fc.property(text, (written) => {
      const quick = parseLines(written);
      if (quick === undefined) return;
      fast++;
      assert.deepEqual(entries(parseYaml('keys.yaml', written)), entries(quick));
      assert.deepEqual(parseLines(formatKeyFile(quick)), quick);
    }),
    { numRuns: 1000 },
  );
  assert.ok(fast > 200, `only ${fast} of the files were in the form of the command`);
});

test('times are days or instants that the calendar has', () => {
  for (const [text, time] of [
    ['2027-01-31', Date.UTC(2027, 0, 31)],
    ['2028-02-29', Date.UTC(2028, 1, 29)],
    ['2027-01-31T12:00Z', Date.UTC(2027, 0, 31, 12)],
    ['2027-01-31T12:00:00.5+02:00', Date.UTC(2027, 0, 31, 10, 0, 0, 500)],
    ['2027-01-01T00:30:00+01:00', Date.UTC(2026, 11, 31, 23, 30)],
  ] as const) {
    assert.equal(parseTime(text), time, text);
  }
  for (const text of [
    '2027-02-29',
    '2027-13-01',
    '2027-04-31',
    '2027-01-31T25:00Z',
    '2027-01-31T12:00',
    '31.01.2027',
    '2027',
    '',
    '2027-04-31T00:00:00Z',
    '2027-1-1',
    ' 2027-01-01',
    '+012027-01-01',
  ]) {
    assert.equal(parseTime(text), undefined, text);
  }
});

function entries({ hashedWith, keys }: KeyFile): unknown {
  return { hashedWith, entries: keys.map(({ entry }) => entry) };
}
