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

/** What a request brings beside the right key in its header: a target's end, and fields. */
export interface Beside {
  readonly name: string;
  /** Behind `/x`. */
  readonly target?: string;
  readonly headers?: Record<string, string | string[]>;
}

/** A second key, or what a service may read as one, beside the key in `X-API-Key`: each must be refused and never be seen by the service. */
export function keysBeside(key: string, other: string): Beside[] {
  const query = (name: string, text: string): Beside => ({ name: `in the query: ${name}`, target: `?${text}` });
  const field = (name: string, value: string): Beside => ({ name: `in ${name}`, headers: { [name]: value } });
  const escaped = [...other].map((char) => `%${char.charCodeAt(0).toString(16)}`).join('');
  return [
    query('the same by the name of the header', `x-api-key=${key}`),
    query('another by the name of the header', `x-api-key=${other}`),
    query('capitals', `X-API-KEY=${key}`),
    query('underscores', `x_api_key=${key}`),
    query('api_key', `api_key=${key}`),
    query('apiKey', `apiKey=${key}`),
    query('apikey with nothing', 'apikey'),
    query('an empty value', 'api-key='),
    query('a value that is no key of ours', 'api_key=secret'),
    query('an encoded name', `%78-api%2Dkey=${key}`),
    query('a name with a space', 'api+key=1'),
    query('a list', 'api_key[]=1'),
    query('a list with its place', 'api_key%5B0%5D=1'),
    query('behind a semicolon', 'a=1;api_key=1'),
    query('behind others', `a=1&b=%zz&&api.key=${key}`),
    query('behind another question mark', '?api_key=1'),
    query('by any other name', `q=${key}`),
    query('another key by any other name', `auth=${other}`),
    query('as a name', `${key}`),
    query('encoded', `q=${escaped}`),
    query('encoded in part', `q=%70cl%5F${other.slice(4)}`),
    query('within JSON', `q={%22key%22:%22${other}%22}`),
    query('within a list', `q=1,${other},2`),
    query('behind a scheme', `q=Bearer+${other}`),
    { name: 'in the path', target: `/${other}` },
    { name: 'in the path, encoded', target: `/%70cl_${other.slice(4)}/y` },
    field('cookie', `x-api-key=${key}`),
    field('cookie', `a=1; api_key=nonsense; b=2`),
    field('cookie', `session=${other}`),
    field('cookie', `session=${escaped}`),
    field('authorization', `Bearer ${key}`),
    field('authorization', `ApiKey ${other}`),
    field('authorization', `Basic ${Buffer.from(`${other}:`).toString('base64')}`),
    field('authorization', `basic ${Buffer.from(`user:${key}`).toString('base64')}`),
    field('apikey', other),
    field('x-auth-token', key),
    field('x_api_key', key),
    field('referer', `https://app.example.com/?api_key=${key}`),
  ];
}

/** What stands beside a key and is none: it must arrive, all of it. */
export function besideKeys(key: string): Beside[] {
  const query = (name: string, text: string): Beside => ({ name: `in the query: ${name}`, target: `?${text}` });
  const wrong = key.slice(0, -1) + (key.endsWith('0') ? '1' : '0');
  return [
    { name: 'nothing' },
    query('nothing', ''),
    query('words of a search', 'key=red&keys=a,b&q=api_key'),
    query('names that only look alike', 'api_keys=1&my_api_key=1&apikey2=1&xapikeys=1&x=api-key'),
    query('the beginning of a key', 'q=pcl_'),
    query('a key whose checksum is wrong', `q=${wrong}`),
    query('a key in another case', `q=${key.toLowerCase()}`),
    query('odd encoding', 'a=%zz&%=%&b=%c3%28'),
    { name: 'in the path: the beginning of a key', target: '/pcl_x' },
    { name: 'in cookie', headers: { cookie: 'session=abc; key=1; theme=dark' } },
    { name: 'in authorization: a token', headers: { authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.x' } },
    { name: 'in authorization: a password', headers: { authorization: `Basic ${Buffer.from('user:pass').toString('base64')}` } },
    { name: 'in authorization: odd base64', headers: { authorization: 'Basic %%%' } },
    {
      name: 'in another header',
      headers: { 'x-auth-token': 'abc', 'x-request-key': '1', referer: 'https://a.example/?q=api_key' },
    },
  ];
}
