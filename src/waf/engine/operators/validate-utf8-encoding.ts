import { isUtf8 } from 'node:buffer';
import { bytesOf } from '../fast/requirement.ts';
import type { OperatorFactory, PreparedOperator } from '../operator.ts';

const BEYOND_ASCII = /[\x80-\xff]/;

/** Matches a value that is no UTF-8: cut sequences, overlong forms, surrogates, what lies beyond U+10FFFF (RFC 3629). */
export const validateUtf8Encoding: OperatorFactory = () => UTF8_ENCODING;

const UTF8_ENCODING: PreparedOperator = {
  requirement: bytesOf(Uint8Array.from({ length: 256 }, (_, byte) => Number(byte >= 0x80))),
  judge: (value) => BEYOND_ASCII.test(value) && !isUtf8(Buffer.from(value, 'latin1')),
};
