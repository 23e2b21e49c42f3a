import path from 'node:path';
import type { EventData } from 'node:test';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

/**
 * The report of `npm test`, the same on a terminal and in a log: a line for each file, each skipped test with its reason, and at the
 * end, where one looks first, every failure in full, the slowest files, the names of what failed, and the counts.
 */

/** What a file writes is shown where it fails; more of it than this only hides the failure. */
const OUTPUT_LINES = 40;
const ERROR_LINES = 80;
const SLOWEST = 5;
/** So many names have a line of their own; more stand together, one line a file: the last lines hold them all. */
const MOST_LINES = 30;

/** Members of events that the published types leave out: the file that was run, where a helper in another file defines the test. */
type Located = { readonly file?: string; readonly entryFile?: string; readonly line?: number };

class FileReport {
  readonly name: string;
  readonly failures: { readonly name: string; readonly at: string; readonly text: string }[] = [];
  readonly skipped: string[] = [];
  /** Tests that have begun and not ended, outermost first. */
  readonly running = new Set<string>();
  /** Names of the tests around the next event, by nesting. */
  readonly around: string[] = [];
  output: string[] = [];
  tests = 0;
  ms = 0;

  constructor(name: string) {
    this.name = name;
  }

  write(line: string): void {
    this.output.push(line);
    if (this.output.length > 2 * OUTPUT_LINES) this.output.splice(0, OUTPUT_LINES);
  }

  line(): string {
    const mark = this.failures.length > 0 ? 'FAIL' : this.skipped.length > 0 ? 'skip' : 'ok  ';
    const failed = this.failures.length > 0 ? `, ${this.failures.length} failed` : '';
    const skipped = this.skipped.map((text) => `     skipped: ${text}\n`).join('');
    return `${mark} ${this.name} (${count(this.tests, 'test')}${failed}, ${seconds(this.ms)})\n${skipped}`;
  }

  details(): string {
    const told = new Map<string, string>();
    const texts = this.failures.map(({ name, at, text }) => {
      const before = told.get(text);
      told.set(text, before ?? name);
      return `\n✖ ${name}\n  at ${at}\n${before === undefined ? indent(text, ERROR_LINES) : `    as ${before}\n`}`;
    });
    return (
      texts.join('') +
      (this.output.length > 0 ? `\n  output of ${this.name}:\n${indent(this.output.join(''), -OUTPUT_LINES)}` : '')
    );
  }
}

class Report {
  readonly #files = new Map<string, FileReport>();
  readonly #told = new Set<FileReport>();
  #counts = '';

  /** What is to be said at once about an event. */
  take({ type, data }: TestEvent): string {
    if (type === 'test:stdout' || type === 'test:stderr') this.#file(data).write(data.message);
    else if (type === 'test:dequeue') this.#file(data).running.add(data.name);
    else if (type === 'test:complete') this.#file(data).running.delete(data.name);
    else if (type === 'test:start') this.#file(data).around[data.nesting] = data.name;
    else if (type === 'test:pass' || type === 'test:fail') this.#ended(data, this.#file(data));
    else if (type === 'test:diagnostic' && this.#isCount(data)) this.#counts += `# ${data.message}\n`;
    else if (type === 'test:summary' && data.file !== undefined) return this.#done(this.#file(data), data.duration_ms);
    return '';
  }

  end(): string {
    const files = [...this.#files.values()];
    const failed = files.filter((file) => file.failures.length > 0);
    // A process that died has no summary of its own.
    const untold = failed.filter((file) => !this.#told.has(file)).map((file) => this.#done(file, file.ms));
    const slowest = files.toSorted((a, b) => b.ms - a.ms).slice(0, SLOWEST);
    return [
      ...untold,
      failed.length > 0 ? '\nFailing tests\n' : '',
      ...failed.map((file) => file.details()),
      '\nSlowest files\n',
      ...slowest.map((file) => `  ${seconds(file.ms).padStart(8)}  ${file.name}\n`),
      ...names(failed),
      `\n${this.#counts}`,
    ].join('');
  }

  #file({ file = '', entryFile }: Located): FileReport {
    const name = path.relative('', entryFile ?? file);
    const known = this.#files.get(name);
    if (known !== undefined) return known;
    const made = new FileReport(name);
    this.#files.set(name, made);
    return made;
  }

  #ended(data: EventData.TestPass | EventData.TestFail, report: FileReport): void {
    const name = [...report.around.slice(0, data.nesting), data.name].join(' › ');
    report.around.length = data.nesting;
    const { skip, todo, details } = data;
    if (details.type !== 'suite') report.tests++;
    if (data.nesting === 0) report.ms += details.duration_ms;
    if (skip !== undefined && skip !== false)
      report.skipped.push(`${name}: ${typeof skip === 'string' && skip !== '' ? skip : 'no reason given'}`);
    else if ('error' in details && todo === undefined && !isOfSubtests(details.error)) {
      report.failures.push({ name, at: place(data, report), text: errorText(details.error) + unfinished(report, data.name) });
    }
  }

  #done(file: FileReport, ms: number): string {
    file.ms = ms;
    this.#told.add(file);
    if (file.failures.length === 0) file.output = [];
    return file.line();
  }

  /** The totals stand at the end, outside any file. */
  #isCount({ nesting, message, file }: EventData.TestDiagnostic): boolean {
    return (
      nesting === 0 &&
      file === undefined &&
      /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/.test(message)
    );
  }
}

/** A suite fails because of a test in it, which is told by itself. */
function isOfSubtests(error: Error): boolean {
  return 'failureType' in error && error.failureType === 'subtestsFailed';
}

/** Lines of a stack that are Node's own. */
const FRAMES = /\n +at [^\n]*node:(?:internal|async_hooks)[^\n]*|\n +at new Promise \(<anonymous>\)/g;

/** The cause is what the test threw; what is around it says only that it failed. */
function errorText(error: Error): string {
  const { cause = error } = error;
  const text = cause instanceof Error ? (cause.stack ?? String(cause)) : typeof cause === 'string' ? cause : inspect(cause);
  const deeper = cause instanceof Error && cause.cause !== undefined ? `\ncause: ${inspect(cause.cause)}` : '';
  const exit =
    'exitCode' in error
      ? `: its process ended with ${inspect({ code: error.exitCode, signal: 'signal' in error ? error.signal : null })}`
      : '';
  return (text + exit + deeper).replaceAll(FRAMES, '');
}

/** For a file whose process died: what it was at. */
function unfinished({ running, name }: FileReport, failed: string): string {
  const left = [...running].filter((test) => path.relative('', test) !== name);
  return path.relative('', failed) === name && left.length > 0 ? `\nnot finished: ${left.join(', ')}` : '';
}

/** Where the test stands; and the file that was run, where that is another one. */
function place({ file, line }: Located, { name }: FileReport): string {
  const own = file === undefined ? name : path.relative('', file);
  return own === name ? `${name}:${line}` : `${own}:${line}, run by ${name}`;
}

function names(failed: readonly FileReport[]): string[] {
  const all = failed.flatMap((file) => file.failures.map(({ name }) => `✖ ${name} (${file.name})\n`));
  const lines =
    all.length <= MOST_LINES ? all : failed.map((f) => `✖ ${f.name}: ${f.failures.map(({ name }) => name).join('; ')}\n`);
  return lines.length > 0 ? ['\nFailed\n', ...lines] : [];
}

/** The first lines, or the last ones where `most` is negative. */
function indent(text: string, most: number): string {
  const lines = text.trimEnd().split('\n');
  const kept = most < 0 ? lines.slice(most) : lines.slice(0, most);
  const left = lines.length - kept.length;
  if (left > 0) kept.splice(most < 0 ? 0 : most, 0, `… ${count(left, 'more line')}`);
  return kept.map((line) => `    ${line}\n`).join('');
}

function count(n: number, thing: string): string {
  return `${n} ${thing}${n === 1 ? '' : 's'}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

// The runner takes a reporter as a default export and in no other way.
// oxlint-disable-next-line import/no-default-export
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const all = new Report();
  for await (const event of events) yield all.take(event);
  yield all.end();
}
