import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { badPaths, goodPaths } from '../../test/cases/paths.ts';
import { canonicalPath, pathProblem } from './path.ts';

describe('must pass, in exactly this form', () => {
  for (const { raw, canonical, why } of goodPaths) {
    test(`${JSON.stringify(raw)} → ${canonical}${why === undefined ? '' : `: ${why}`}`, () => {
      assert.equal(canonicalPath(raw), canonical);
      assert.equal(pathProblem(raw), undefined);
    });
  }
});

describe('must stop', () => {
  for (const { raw, why } of badPaths) {
    test(`${JSON.stringify(raw)}: ${why}`, () => {
      assert.equal(canonicalPath(raw), undefined);
      assert.match(pathProblem(raw) ?? '', /^[a-z]/i);
    });
  }
});

test('cases are distinct and enough', () => {
  const all = [...goodPaths, ...badPaths].map((one) => one.raw);
  assert.equal(new Set(all).size, all.length - duplicates(all).length);
  assert.deepEqual(duplicates(all), []);
  assert.ok(all.length >= 200, `${all.length}`);
});

function duplicates(values: readonly string[]): string[] {
  return values.filter((value, index) => values.indexOf(value) !== index);
}

/** Pieces that attacks are made of, mixed with any byte: random bytes alone would nearly always be refused. */
const piece = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      '/',
      '/',
      '.',
      '..',
      '%2e',
      '%2E',
      '%25',
      '%',
      'a',
      'b',
      '%61',
      '%c3%a9',
      '%C3%A9',
      '%20',
      '+',
      '%2b',
      '=',
      ':',
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '%2f',
      '%5c',
      '\\',
      ';',
      '%3b',
      '%00',
      '%7f',
      '%c0%ae',
      '%u002e',
      '%ef%bc%8e',
      '%e2%80%8d',
      '[',
      '"',
      '|',
      '%5b',
    ),
  },
  { weight: 2, arbitrary: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }).map((byte) => `%${byte.toString(16).padStart(2, '0')}`) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) },
  {
    weight: 1,
    arbitrary: fc
      .string({ unit: 'grapheme', maxLength: 3 })
      .filter((text) => text.isWellFormed())
      .map(encodeURIComponent),
  },
);
const anyPath = fc.array(piece, { maxLength: 14 }).map((pieces) => `/${pieces.join('')}`);
const RUNS = { numRuns: 20_000 };

/** The property over the paths that are accepted; fails when hardly any is, for then it says nothing. */
function forAccepted(check: (canonical: string, raw: string) => void): void {
  let accepted = 0;
  fc.assert(
    fc.property(anyPath, (raw) => {
      const canonical = canonicalPath(raw);
      if (canonical === undefined) return;
      accepted += 1;
      check(canonical, raw);
    }),
    RUNS,
  );
  assert.ok(accepted > RUNS.numRuns / 50, `only ${accepted} accepted`);
}

/** A decoder that shares nothing with the code under test: bytes of a segment in hexadecimal. */
function decodedSegments(path: string): string[] {
  return path
    .split('/')
    .slice(1)
    .map((segment) =>
      segment.replace(/%(..)|[^]/g, (char, digits?: string) => digits ?? char.charCodeAt(0).toString(16)).toLowerCase(),
    );
}

/** Dot segments and empty ones resolved on decoded segments, by the textbook (RFC 3986 section 5.2.4, slashes merged). */
function resolved(segments: readonly string[]): string[] {
  const kept: string[] = [];
  for (const segment of segments.slice(0, -1)) {
    if (segment === '2e2e') kept.pop();
    else if (segment !== '2e' && segment !== '') kept.push(segment);
  }
  const last = segments.at(-1) ?? '';
  if (last === '2e2e') kept.pop();
  return last === '2e' || last === '2e2e' || last === '' ? [...kept, ''] : [...kept, last];
}

describe('whatever the bytes', () => {
  test('the canonical form is its own canonical form', () => {
    forAccepted((canonical) => assert.equal(canonicalPath(canonical), canonical));
  });

  test('it decodes to the segments that the input decodes to once', () => {
    forAccepted((canonical, raw) => assert.deepEqual(decodedSegments(canonical), resolved(decodedSegments(raw))));
  });

  test('the WHATWG URL parser leaves it alone', () => {
    forAccepted((canonical) => {
      assert.equal(new URL(`http://h${canonical}`).pathname, canonical);
      assert.equal(new URL(canonical, 'http://h').href, `http://h${canonical}`);
    });
  });

  test('it holds nothing that another reader would resolve, cut or decode', () => {
    forAccepted((canonical) => {
      assert.doesNotMatch(canonical, /\/\/|\/\.\.?(?:\/|$)|%2f|%5c|%3b|[;\\?#]|%25(?:[0-9a-f]{2}|u[0-9a-f]{4})|%(?:[01].|7f)/i);
      assert.match(canonical, /^\/(?:[A-Za-z0-9\-._~!$&'()*+,=:@/]|%[0-9A-F]{2})*$/);
    });
  });

  test('decoding it again changes nothing', () => {
    forAccepted((canonical) => {
      const once = decodeURIComponent(canonical);
      assert.equal(
        once.replace(/%[0-9a-f]{2}/gi, () => assert.fail('an escape is left')),
        once,
      );
    });
  });

  test('one resource has one canonical form: escaping any character of it differently leads back', () => {
    const escape = (char: string) => `%${char.charCodeAt(0).toString(16)}`;
    forAccepted((canonical) => {
      const other = canonical.replace(/[A-Za-z0-9\-_~!$&'()*+,=:@]/g, (char, at: number) =>
        at % 2 === 0 && !inEscape(canonical, at) ? escape(char) : char,
      );
      assert.equal(canonicalPath(other), canonical);
    });
  });

  test('it never throws, and both readings agree', () => {
    fc.assert(
      fc.property(fc.oneof(anyPath, fc.string({ unit: 'binary' })), (raw) => {
        assert.equal(canonicalPath(raw) === undefined, pathProblem(raw) !== undefined);
      }),
      RUNS,
    );
  });
});

function inEscape(path: string, at: number): boolean {
  return path[at - 1] === '%' || path[at - 2] === '%';
}

test('the cost is linear: 8 KiB of the worst is read in milliseconds', () => {
  const worst = ['/.', '/a/..', '%EF%BC%8E', '%EF%B7%BA.', '/'.repeat(8), '%25', '.%20'];
  for (const unit of worst) {
    const raw = `/${unit.repeat(Math.floor(8192 / unit.length))}`;
    const began = performance.now();
    canonicalPath(raw);
    assert.ok(performance.now() - began < 50, unit);
  }
});
