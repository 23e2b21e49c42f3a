/** What stands in the header instead of a key: made from a right one, as it would travel (one character per byte). */
export interface KeyAttack {
  readonly name: string;
  readonly value: string;
}

/** None of these is the key; each must be refused with 401 and never be seen by the service. */
export function keyAttacks(key: string, other: string): KeyAttack[] {
  const utf8 = (text: string) => Buffer.from(text).toString('latin1');
  const middle = key.slice(10, 20);
  return [
    { name: 'lower case', value: key.toLowerCase() },
    { name: 'upper case', value: key.toUpperCase() },
    { name: 'another case of its beginning', value: `PCL_${key.slice(4)}` },
    { name: 'another case of one letter', value: swapCase(key) },
    { name: 'its beginning', value: key.slice(0, 20) },
    { name: 'all but its last character', value: key.slice(0, -1) },
    { name: 'its end', value: key.slice(4) },
    { name: 'a key and one more character', value: `${key}A` },
    { name: 'twice the key', value: key + key },
    { name: 'the last character changed', value: key.slice(0, -1) + (key.endsWith('0') ? '1' : '0') },
    { name: 'two characters swapped', value: swapNeighbours(key) },
    { name: 'the head of one key and the tail of another', value: key.slice(0, 22) + other.slice(22) },
    { name: 'a list of a wrong and the right key', value: `${other.toLowerCase()}, ${key}` },
    { name: 'a list of the right and a wrong key', value: `${key}, x` },
    { name: 'a list without space', value: `${key},${key}` },
    { name: 'a list of empty members', value: `,${key},` },
    { name: 'with a parameter', value: `${key};q=1` },
    { name: 'in quotes', value: `"${key}"` },
    { name: 'in angle brackets', value: `<${key}>` },
    { name: 'with a scheme', value: `Bearer ${key}` },
    { name: 'with its own scheme', value: `ApiKey ${key}` },
    { name: 'with a name', value: `key=${key}` },
    { name: 'as JSON', value: `{"key":"${key}"}` },
    { name: 'percent-encoded', value: `${key.slice(0, -1)}%${key.charCodeAt(39).toString(16)}` },
    { name: 'with an encoded line end', value: `${key}%0a` },
    { name: 'with an encoded NUL', value: `${key}%00` },
    { name: 'in base64', value: Buffer.from(key).toString('base64') },
    { name: 'in hexadecimal', value: Buffer.from(key).toString('hex') },
    { name: 'a space inside', value: `${key.slice(0, 20)} ${key.slice(20)}` },
    { name: 'a tab inside', value: `${key.slice(0, 20)}\t${key.slice(20)}` },
    { name: 'a no-break space behind', value: utf8(`${key}\u00a0`) },
    { name: 'a no-break space as one byte', value: `${key}\u00a0` },
    { name: 'a zero-width space inside', value: utf8(`${key.slice(0, 20)}\u200b${key.slice(20)}`) },
    { name: 'a byte order mark before', value: utf8(`\ufeff${key}`) },
    { name: 'a Cyrillic letter that looks the same', value: utf8(`\u0440cl_${key.slice(4)}`) },
    { name: 'full-width letters', value: utf8(`\uff50\uff43\uff4c_${key.slice(4)}`) },
    { name: 'a dotless i and a long s, which fold to ASCII', value: utf8(key.replace(middle, `\u0131\u017f${middle.slice(2)}`)) },
    { name: 'bytes above ASCII', value: `${key.slice(0, 39)}\u00ff` },
    { name: 'nothing but the beginning', value: 'pcl_' },
    { name: 'zeros', value: `pcl_${'0'.repeat(36)}` },
    { name: '__proto__', value: '__proto__' },
    { name: 'constructor', value: 'constructor' },
    { name: 'toString', value: 'toString' },
    { name: 'hasOwnProperty', value: 'hasOwnProperty' },
    { name: 'null', value: 'null' },
    { name: 'undefined', value: 'undefined' },
    { name: 'true', value: 'true' },
    { name: 'a star', value: '*' },
    { name: 'SQL', value: "' OR '1'='1" },
    { name: 'a pattern', value: '.*' },
    { name: 'an id', value: 'alice' },
    { name: 'huge', value: key.repeat(200) },
    { name: 'huge, of one character', value: 'A'.repeat(12_000) },
  ];
}

function swapCase(key: string): string {
  const at = [...key].findIndex((char, i) => i > 4 && /[A-Za-z]/.test(char));
  const char = key[at];
  return key.slice(0, at) + (char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase()) + key.slice(at + 1);
}

function swapNeighbours(key: string): string {
  let at = 8;
  while (key[at] === key[at + 1]) at++;
  return key.slice(0, at) + key[at + 1] + key[at] + key.slice(at + 2);
}
