import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { hashOf, pattern } from '../support/services.ts';
import { MIB } from './house.ts';

/** One request, for any client in any language. */
export interface Question {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  /** File with the body, and whether it goes out without a length. */
  readonly body?: string;
  readonly chunked?: boolean;
}

/** What a client saw. Names of fields are in lower case; `text` is there for small bodies. */
export interface Seen {
  readonly name: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly length: number;
  readonly sha256: string;
  readonly text?: string;
}

interface Case {
  readonly question: Omit<Question, 'body'>;
  /** Size of the body to send. */
  readonly send?: number;
  readonly status: number;
  /** Size of the pattern that must come back. */
  readonly answer?: number;
  /** Code of the problem that must come back. */
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const ask = (name: string, method: string, where: string, chunked = false) => ({ name, method, path: where, chunked });

const cases: readonly Case[] = [
  {
    question: ask('GET', 'GET', '/bytes/1000'),
    status: 200,
    answer: 1000,
    headers: { 'content-length': '1000', 'accept-ranges': 'bytes' },
  },
  { question: ask('GET of nothing', 'GET', '/bytes/0'), status: 200, answer: 0 },
  { question: ask('GET without a length', 'GET', '/chunked/70001'), status: 200, answer: 70_001 },
  { question: ask('HEAD', 'HEAD', '/bytes/1000'), status: 200, answer: 0, headers: { 'content-length': '1000' } },
  { question: ask('POST', 'POST', '/echo'), send: 5, status: 200, answer: 5 },
  { question: ask('PUT', 'PUT', '/echo'), send: 10_000, status: 200, answer: 10_000 },
  { question: ask('POST of nothing', 'POST', '/echo'), send: 0, status: 200, answer: 0 },
  { question: ask('POST without a length', 'POST', '/echo', true), send: 300_000, status: 200, answer: 300_000 },
  { question: ask('large GET', 'GET', `/bytes/${8 * MIB}`), status: 200, answer: 8 * MIB },
  { question: ask('large POST', 'POST', '/echo'), send: 8 * MIB, status: 200, answer: 8 * MIB },
  { question: ask('404', 'GET', '/nowhere'), status: 404, code: 'route-not-found' },
  { question: ask('404 of a HEAD', 'HEAD', '/nowhere'), status: 404, answer: 0 },
  {
    question: ask('405', 'DELETE', '/bytes/1'),
    status: 405,
    code: 'method-not-allowed',
    headers: { allow: 'GET, HEAD, OPTIONS' },
  },
  { question: ask('405 of a POST', 'POST', '/bytes/1'), send: 100, status: 405, code: 'method-not-allowed' },
  { question: ask('413', 'POST', '/small'), send: 2000, status: 413, code: 'body-too-large' },
  { question: ask('413 without a length', 'POST', '/small', true), send: 2000, status: 413, code: 'body-too-large' },
  { question: ask('GET after all that', 'GET', '/bytes/10'), status: 200, answer: 10 },
];

/** All questions, their bodies written into `folder`; `except` names what the client cannot ask. */
export async function allQuestions(folder: string, except: readonly string[] = []): Promise<Question[]> {
  const questions: Question[] = [];
  for (const { question, send } of cases.filter((one) => !except.includes(one.question.name))) {
    const body = send === undefined ? undefined : path.join(folder, `body-${send}`);
    if (body !== undefined) await writeFile(body, pattern(send ?? 0));
    questions.push({ ...question, body });
  }
  return questions;
}

/** Compares byte for byte; `asked` and `seen` are in the same order. */
export function compare(asked: readonly Question[], seen: readonly Seen[]): void {
  assert.deepEqual(
    seen.map(({ name }) => name),
    asked.map(({ name }) => name),
  );
  for (const answer of seen) {
    const expected = cases.find(({ question }) => question.name === answer.name);
    assert.ok(expected !== undefined);
    compareOne(answer, expected);
  }
}

function compareOne(seen: Seen, expected: Case): void {
  const about = `${seen.name}: ${JSON.stringify(seen)}`;
  assert.equal(seen.status, expected.status, about);
  if (expected.answer !== undefined) {
    assert.equal(seen.length, expected.answer, about);
    assert.equal(seen.sha256, hashOf(pattern(expected.answer)), about);
  }
  for (const [name, value] of Object.entries(expected.headers ?? {})) assert.equal(seen.headers[name], value, about);
  if (expected.code !== undefined) compareProblem(seen, expected.code, about);
  assert.equal(seen.headers['x-content-type-options'], 'nosniff', about);
  for (const name of ['server', 'x-powered-by']) assert.equal(seen.headers[name], undefined, about);
}

function compareProblem(seen: Seen, code: string, about: string): void {
  assert.match(seen.headers['content-type'], /^application\/problem\+json/, about);
  const problem = JSON.parse(seen.text ?? '') as Record<string, unknown>;
  assert.equal(problem.code, code, about);
  assert.equal(problem.status, seen.status, about);
  assert.equal(problem.request_id, seen.headers['x-request-id'], about);
}

/** What a client of this process saw. */
export function seen(name: string, status: number, headers: Record<string, string>, body: Buffer): Seen {
  const text = body.length < 4096 ? body.toString() : undefined;
  return { name, status, headers, length: body.length, sha256: hashOf(body), text };
}
