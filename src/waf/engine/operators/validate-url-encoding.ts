import { bytesOf } from '../fast/requirement.ts';
import type { OperatorFactory, PreparedOperator } from '../operator.ts';

/** Matches a value with a `%` that two hexadecimal digits do not follow. */
export const validateUrlEncoding: OperatorFactory = () => URL_ENCODING;

const URL_ENCODING: PreparedOperator = {
  requirement: bytesOf(Uint8Array.from({ length: 256 }, (_, byte) => Number(byte === 0x25))),
  judge(value) {
    for (let i = value.indexOf('%'); i >= 0; i = value.indexOf('%', i + 3)) {
      if (!isHexDigit(value.charCodeAt(i + 1)) || !isHexDigit(value.charCodeAt(i + 2))) return true;
    }
    return false;
  },
};

/** False behind the end, where charCodeAt gives NaN. */
function isHexDigit(byte: number): boolean {
  const letter = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (letter >= 0x61 && letter <= 0x66);
}
