import type { OperatorFactory } from '../operator.ts';
import { noMatch, unconditionalMatch } from './constants.ts';
import { containsWord } from './contains-word.ts';
import { detectSQLi } from './detect-sqli.ts';
import { detectXSS } from './detect-xss.ts';
import { ipMatch, ipMatchFromFile } from './ip-match.ts';
import { eq, ge, gt, le, lt } from './numbers.ts';
import { pm, pmFromFile } from './pm.ts';
import { beginsWith, contains, endsWith, streq, within } from './texts.ts';
import { rx } from './rx.ts';
import { rxGlobal } from './rx-global.ts';
import { validateByteRange } from './validate-byte-range.ts';
import { validateUrlEncoding } from './validate-url-encoding.ts';
import { validateUtf8Encoding } from './validate-utf8-encoding.ts';
import { verifyCC, verifyCPF, verifySSN, verifySVNR } from './verify.ts';

export interface Operator {
  /** As the reference manual spells it. */
  readonly name: string;
  readonly make: OperatorFactory;
}

const BY_NAME: Readonly<Record<string, OperatorFactory>> = {
  beginsWith,
  contains,
  containsWord,
  detectSQLi,
  detectXSS,
  endsWith,
  eq,
  ge,
  gt,
  ipMatch,
  ipMatchF: ipMatchFromFile,
  ipMatchFromFile,
  le,
  lt,
  noMatch,
  pm,
  pmf: pmFromFile,
  pmFromFile,
  rx,
  rxGlobal,
  streq,
  strmatch: contains,
  unconditionalMatch,
  validateByteRange,
  validateUrlEncoding,
  validateUtf8Encoding,
  verifyCC,
  verifyCPF,
  verifySSN,
  verifySVNR,
  within,
};

/** By name in lower case. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  Object.entries(BY_NAME).map(([name, make]) => [name.toLowerCase(), { name, make }]),
);

/** Operators of the reference manual that this engine does not have, and why; by name in lower case. */
export const UNSUPPORTED: ReadonlyMap<string, string> = new Map([
  ['fuzzyhash', 'it needs ssdeep, a library of its own'],
  ['geolookup', 'it needs a database of places'],
  ['gsblookup', 'Google has ended the service that it asks'],
  ['inspectfile', 'it runs a program for each request'],
  ['rbl', 'it asks the DNS while a request waits'],
  ['rsub', 'it changes bodies'],
  ['validatedtd', 'a DTD lets a document decide what is read and expanded'],
  ['validatehash', 'it needs pages that the gateway has signed'],
  ['validateschema', 'it needs a validator of XML schemas'],
]);
