import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { checkWithSource } from '../config/load.ts';
import { problemLine } from '../config/problem.ts';
import { type AuditReport, audit, type Finding } from './audit.ts';
import type { Loaded } from './audited.ts';
import { checks } from './checks.ts';
import { OWASP } from './model.ts';

function load(text: string): Loaded {
  const { result, source } = checkWithSource('portcullis.yaml', text, {});
  assert.deepEqual(result.ok ? [] : result.problems.map(problemLine), [], text);
  assert.ok(result.ok && source !== undefined);
  return { options: result.options, source };
}

const run = (text: string, now = Date.now()): AuditReport => audit(load(text), now);

function findings(report: AuditReport, name: string): readonly Finding[] {
  return (report.checks.find((check) => check.name === name) ?? assert.fail(`there is no ${name}`)).findings;
}

const spots = (report: AuditReport, name: string) =>
  findings(report, name).map(({ status, name: subject, line, column }) => `${status} ${subject} ${line}:${column}`);

test('behind aliases and merges the line is that on which the decision is written', () => {
  const report = run(`listeners: { plain: { address: 127.0.0.1:8080 } }
services: { s: http://127.0.0.1:9001 }
limits:
  named: &named
    rate: 5/second
    by: address
routes:
  - &first
    path: /a
    methods: [GET]
    service: s
    authentication: none
    csrf: &csrf
      off
    limits: &limits [{ rate: 7/second, by: address }]
  - <<: *first
    path: /b
  - { path: /c, methods: [GET], service: s, authentication: none, csrf: *csrf, limits: *limits }
  - { <<: *first, path: /d, csrf: { origins: [] }, limits: [*named] }
`);
  assert.deepEqual(spots(report, 'csrf'), ['open /a 14:7', 'open /b 14:7', 'open /c 14:7', 'met /d 19:35']);
  assert.deepEqual(spots(report, 'limit-by-address'), ['met /a 15:21', 'met /b 15:21', 'met /c 15:21', 'met /d 19:60']);
  assert.deepEqual(spots(report, 'concurrency'), ['open /a 9:5', 'open /b 16:5', 'open /c 18:5', 'open /d 19:5']);
  assert.deepEqual(spots(report, 'limits-enforced'), [
    'met named 5:5',
    'met /a 15:22',
    'met /b 15:22',
    'met /c 15:22',
    'met /d 5:5',
  ]);
});

test('in flow style, in JSON and on one line the column tells', () => {
  const text =
    '{"listeners":{"l":{"address":"127.0.0.1:1"}},"services":{"s":"http://127.0.0.1:2"},"routes":[{"path":"/a","service":"s","authentication":"none"},{"path":"/b","service":"s","authentication":"none","body":99999999}]}';
  const report = run(text);
  const at = (part: string) => text.indexOf(part) + 1;
  assert.deepEqual(spots(report, 'body-limit'), [`met /a 1:${at('{"path":"/a"')}`, `open /b 1:${at('99999999')}`]);
  assert.deepEqual(spots(report, 'listener-bounds'), [`met l 1:${at('"l":')}`]);
  assert.deepEqual(spots(report, 'service-timeouts'), [`met s 1:${at('"s":"http')}`]);
});

const ROUTES = `listeners: { plain: { address: 127.0.0.1:8080 } }
services: { s: http://127.0.0.1:9001 }
routes:
  - { path: /x, methods: [GET], service: s, authentication: none }
  - { path: /x, methods: [POST], service: s, authentication: none }
  - { path: /y, methods: [GET], service: s, authentication: none }
`;
const accept = (entry: string) => `${ROUTES}audit: { accept: [{ ${entry}, reason: It is the price list }] }\n`;
const statuses = (report: AuditReport, name: string) =>
  findings(report, name).map(({ status, name: route }) => `${status} ${route}`);

test('an exception accepts what it names and nothing else, and its reason is shown', () => {
  const report = run(accept('check: body-types, route: /x'));
  assert.deepEqual(statuses(report, 'body-types'), ['accepted /x']);
  assert.equal(findings(report, 'body-types')[0].reason, 'It is the price list');
  const reads = run(accept('check: unauthenticated-reads, route: /x'));
  assert.deepEqual(statuses(reads, 'unauthenticated-reads'), ['accepted /x', 'open /y']);
  assert.deepEqual(statuses(reads, 'unauthenticated-writes'), ['open /x']);
  const both = run(accept('check: unauthenticated-reads, route: [/x, /y]'));
  assert.deepEqual(statuses(both, 'unauthenticated-reads'), ['accepted /x', 'accepted /y']);
  assert.deepEqual(statuses(both, 'exceptions'), ['met audit.accept']);
});

test('what concerns the whole file is accepted by an exception that names nothing', () => {
  const report = run(accept('check: metrics'));
  assert.deepEqual(statuses(report, 'metrics'), ['accepted admin']);
  assert.deepEqual(statuses(report, 'exceptions'), ['met audit.accept']);
});

test('routes of one path are told apart by their methods', () => {
  const report = run(accept('check: limit-by-address, route: /x, methods: [POST]'));
  assert.deepEqual(
    findings(report, 'limit-by-address').map(({ status, methods }) => `${status} ${methods?.join()}`),
    ['open GET', 'accepted POST', 'open GET'],
  );
});

test('an exception without a route never covers one', () => {
  const report = run(accept('check: unauthenticated-reads'));
  assert.deepEqual(statuses(report, 'unauthenticated-reads'), ['open /x', 'open /y']);
  assert.equal(findings(report, 'exceptions')[0].status, 'open');
});

test('an exception for what is met is of no use, and said to be', () => {
  const report = run(accept('check: csrf, route: /x'));
  assert.deepEqual(statuses(report, 'csrf'), ['met /x', 'met /x', 'met /y']);
  assert.match(findings(report, 'exceptions')[0].message, /accepts nothing/);
});

test('an exception counts to the end of its last day', () => {
  const text = accept('check: unauthenticated-reads, route: [/x, /y], until: 2027-02-28');
  const status = (time: string) =>
    run(text, Date.parse(time)).checks.find(({ name }) => name === 'unauthenticated-reads')?.status;
  assert.equal(status('2027-02-28T23:59:59Z'), 'accepted');
  assert.equal(status('2027-03-01T00:00:00Z'), 'open');
  assert.match(findings(run(text, Date.parse('2027-03-01')), 'exceptions')[0].message, /ended on 2027-02-28/);
});

test('what an exception must say is checked when the file is loaded', () => {
  const problems = (entry: string) => {
    const { result } = checkWithSource('f', `${ROUTES}audit: { accept: [{ ${entry} }] }`, {});
    return result.ok ? [] : result.problems.map(({ message }) => message);
  };
  assert.deepEqual(problems('check: csrf, route: /x'), ['missing key "reason"']);
  assert.match(problems('check: csrf, reason: because').join(), /say in a sentence/);
  assert.match(problems('check: csrf, reason: It is the price list, route: /x, service: s').join(), /one kind of thing/);
  assert.match(problems('check: csrf, reason: It is the price list, methods: [GET]').join(), /write `route` too/);
  assert.match(problems('check: csrf, reason: It is the price list, until: 2027-02-30').join(), /no day/);
  assert.match(problems('check: csrf, reason: It is the price list, routes: /x').join(), /unknown key "routes"/);
});

test('the summary counts checks, each once', () => {
  const { summary, checks: results } = run(ROUTES);
  assert.equal(summary.met + summary.open + summary.accepted + summary.not_applicable, checks.length);
  for (const status of ['met', 'open', 'accepted'] as const)
    assert.equal(summary[status], results.filter((check) => check.status === status).length);
  assert.ok(summary.open > 0 && summary.met > 0 && summary.not_applicable > 0);
});

test('checks are forty and more, each is complete, and every item of OWASP is answered', () => {
  assert.ok(checks.length >= 40, `${checks.length}`);
  assert.equal(new Set(checks.map(({ name }) => name)).size, checks.length);
  for (const { name, title, why, fix, applies, owasp } of checks) {
    assert.match(name, /^[a-z]+(?:-[a-z]+)*$/);
    assert.ok(name.length <= 24, `${name} does not fit its column`);
    assert.ok(owasp.length > 0 && owasp.join(' ').length <= 11, name);
    for (const text of [title, why, fix, applies]) assert.ok(text.length > 5, `${name}: ${text}`);
    assert.match(why, /\.$/, name);
  }
  const answered = checks.flatMap(({ owasp }) => owasp);
  assert.deepEqual([...new Set<string>(answered)].toSorted(), Object.keys(OWASP).toSorted());
});

test('what to change is YAML where it looks like it', () => {
  const lines = checks.map(({ fix }) => fix.replace(/ \(.*\)$/, '')).filter((fix) => /^[a-z-]+: /.test(fix));
  assert.ok(lines.length > 30, `${lines.length}`);
  for (const line of lines) {
    const value: unknown = parse(line);
    assert.ok(typeof value === 'object' && value !== null && Object.values(value)[0] !== null, line);
  }
});

test('a thousand routes with a thousand limits cost no more than they must', () => {
  const rows = (count: number, row: (i: number) => string) => Array.from({ length: count }, (_, i) => row(i)).join('\n');
  const text = `listeners: { plain: { address: 127.0.0.1:8080 } }
authentication: { a: { jwt: { issuer: https://id.example.com, audience: api, algorithms: [ES256] } } }
services:
${rows(50, (i) => `  s${i}: http://127.0.0.1:9001`)}
limits:
${rows(1000, (i) => `  l${i}: { rate: 5/second, by: address }`)}
routes:
${rows(1000, (i) => `  - { path: "/r${i}/{id}", methods: [GET, POST], service: s${i % 50}, authentication: [a], limits: [l${i}] }`)}
`;
  const loaded = load(text);
  const began = process.cpuUsage();
  const report = audit(loaded, Date.now());
  const { user } = process.cpuUsage(began);
  const open = findings(report, 'object-owner').filter(({ status }) => status === 'open');
  assert.equal(open.length, 1000);
  assert.equal(open[999].line, 2055);
  assert.ok(user < 10_000_000, `${user / 1000} ms of CPU`);
});
