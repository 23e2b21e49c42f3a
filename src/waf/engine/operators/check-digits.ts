/** Numbers that carry their own proof. What is between the digits does not count. */

/** A payment card, by Luhn's rule (ISO/IEC 7812-1, annex B). */
export function isCardNumber(text: string): boolean {
  const digits = digitsOf(text);
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits[digits.length - 1 - i];
    const weighed = i % 2 === 0 ? digit : 2 * digit;
    sum += weighed > 9 ? weighed - 9 : weighed;
  }
  return digits.length > 0 && sum % 10 === 0;
}

/** A Brazilian taxpayer number (CPF): two check digits behind nine, and not one digit eleven times. */
export function isCpf(text: string): boolean {
  const digits = digitsOf(text);
  if (digits.length !== 11 || digits.every((digit) => digit === digits[0])) return false;
  return cpfCheck(digits, 9) === digits[9] && cpfCheck(digits, 10) === digits[10];
}

function cpfCheck(digits: readonly number[], count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += digits[i] * (count + 1 - i);
  const rest = sum % 11;
  return rest < 2 ? 0 : 11 - rest;
}

/** A social security number of the United States: no check digit, but areas, groups and serial numbers that are never given out. */
export function isSsn(text: string): boolean {
  const digits = digitsOf(text);
  if (digits.length !== 9 || digits.every((digit) => digit === digits[0]) || isRun(digits)) return false;
  const number = Number(digits.join(''));
  const area = Math.floor(number / 1_000_000);
  const group = Math.floor(number / 10_000) % 100;
  return area !== 0 && area !== 666 && area < 740 && group !== 0 && number % 10_000 !== 0;
}

/** `123456789` and the like. */
function isRun(digits: readonly number[]): boolean {
  return digits.every((digit, i) => digit === digits[0] + i);
}

/** An Austrian social insurance number: the fourth of ten digits proves the others. */
export function isSvnr(text: string): boolean {
  const digits = digitsOf(text);
  if (digits.length !== 10) return false;
  const weights = [3, 7, 9, 0, 5, 8, 4, 2, 1, 6];
  const sum = weights.reduce((total, weight, i) => total + weight * digits[i], 0);
  return sum % 11 === digits[3];
}

function digitsOf(text: string): number[] {
  const digits: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit >= 0 && digit <= 9) digits.push(digit);
  }
  return digits;
}
