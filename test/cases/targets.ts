import type { CatalogueCode } from '../../src/exchange/decision.ts';

/** Request targets as they come on the wire, one character per byte. */
export interface TargetCase {
  /** GET when absent. */
  readonly method?: string;
  readonly raw: string;
  readonly path: string;
  readonly query?: string;
  readonly authority?: string;
}
export interface BadTarget {
  readonly method?: string;
  readonly raw: string;
  readonly code: CatalogueCode;
  readonly why: string;
}

export const goodTargets: readonly TargetCase[] = [
  { raw: '/', path: '/' },
  { raw: '/?', path: '/', query: '' },
  { raw: '/a?b=c', path: '/a', query: 'b=c' },
  { raw: '/a?b=c&d=%20e', path: '/a', query: 'b=c&d=%20e' },
  { raw: '/%61?%61', path: '/a', query: '%61' },
  { raw: '/a?%2f%5c%00%c0%ae', path: '/a', query: '%2f%5c%00%c0%ae' },
  { raw: '/a?../../etc/passwd', path: '/a', query: '../../etc/passwd' },
  { raw: '/a?http://evil.example//x', path: '/a', query: 'http://evil.example//x' },
  { raw: '/a?b?c', path: '/a', query: 'b?c' },
  { raw: '/a?%', path: '/a', query: '%' },
  { raw: '/a?%zz', path: '/a', query: '%zz' },
  { raw: '/a?q="x"', path: '/a', query: 'q="x"' },
  { raw: '/a?q=<script>', path: '/a', query: 'q=<script>' },
  { raw: '/a?f={"a":[1]}', path: '/a', query: 'f={"a":[1]}' },
  { raw: '/a?q=a|b^c`d\\e', path: '/a', query: 'q=a|b^c`d\\e' },
  { raw: '/a?a;b;c', path: '/a', query: 'a;b;c' },
  { raw: '/a?a[]=1&a[]=2', path: '/a', query: 'a[]=1&a[]=2' },
  { raw: "/a?q=it's", path: '/a', query: "q=it's" },
  { raw: '//a?b', path: '/a', query: 'b' },
  { raw: '//evil.example/a', path: '/evil.example/a' },
  { raw: '/http://evil.example/', path: '/http:/evil.example/' },
  { raw: '/@evil.example', path: '/@evil.example' },
  { method: 'OPTIONS', raw: '*', path: '*' },
  { method: 'OPTIONS', raw: '/a', path: '/a' },
  { method: 'OPTIONS', raw: 'http://h', path: '*', authority: 'h' },
  { method: 'OPTIONS', raw: 'http://h/', path: '/', authority: 'h' },
  { method: 'OPTIONS', raw: 'http://h?a', path: '/', query: 'a', authority: 'h' },
  { raw: 'http://h', path: '/', authority: 'h' },
  { raw: 'http://h/', path: '/', authority: 'h' },
  { raw: 'http://h?a=b', path: '/', query: 'a=b', authority: 'h' },
  { raw: 'http://h/a?b', path: '/a', query: 'b', authority: 'h' },
  { raw: 'http://h//a', path: '/a', authority: 'h' },
  { raw: 'http://h/%61/../b', path: '/b', authority: 'h' },
  { raw: 'HTTP://H.Example:8080/a', path: '/a', authority: 'h.example:8080' },
  { raw: 'https://[::1]:8443/a', path: '/a', authority: '[::1]:8443' },
];

const target = (raw: string, why: string, method?: string): BadTarget => ({ raw, code: 'target-invalid', why, method });
const path = (raw: string, why: string): BadTarget => ({ raw, code: 'path-ambiguous', why });

export const badTargets: readonly BadTarget[] = [
  target('', 'empty'),
  target('a', 'no slash'),
  target('?a', 'no path'),
  target('*', 'asterisk without OPTIONS'),
  target('*', 'asterisk without OPTIONS', 'POST'),
  target('*a', 'asterisk and more', 'OPTIONS'),
  target('*?a', 'asterisk and a query', 'OPTIONS'),
  target('h:80', 'authority form without CONNECT'),
  target('h', 'a bare name'),
  target('http:a', 'no authority'),
  target('http:/a', 'no authority'),
  target('http:///a', 'an empty authority'),
  target('http://', 'an empty authority'),
  target('http://?a', 'an empty authority'),
  target('http://:80/', 'a port alone'),
  target('http://h:/', 'an empty port'),
  target('http://h:0/', 'port 0'),
  target('http://h:65536/', 'a port that does not exist'),
  target('http://h:080/', 'a leading zero'),
  target('http://u@h/', 'userinfo'),
  target('http://u:p@h/', 'userinfo'),
  target('http://good.example@evil.example/', 'userinfo that looks like the host'),
  target('http://h\\@evil.example/', 'a backslash in the authority'),
  target('http://h%2eexample/', 'an escape in the authority'),
  target('http://[::1/', 'an open bracket'),
  target('http://a..b/', 'an empty label'),
  target('http://127.1/', 'a short IPv4 address'),
  target('ftp://h/', 'another scheme'),
  target('file:///etc/passwd', 'another scheme'),
  target('gopher://h/', 'another scheme'),
  target('javascript:alert(1)', 'another scheme'),
  target('ws://h/', 'handshakes are http'),
  target(' /a', 'a blank first'),
  target('/a#b', 'a fragment, CVE-2023-45539'),
  target('/a?b#c', 'a fragment behind the query'),
  target('/#', 'an empty fragment'),
  target('#', 'a fragment alone'),
  target('http://h#a', 'a fragment behind the authority'),
  target('http://h/a#b', 'a fragment behind the path'),
  target('http://h/a?b#c', 'a fragment behind the query'),
  target('/a?b c', 'a raw blank'),
  target('/a?b\tc', 'a raw tab'),
  target('/a?b\r\nc', 'line end'),
  target('/a?b\0', 'NUL'),
  target('/a?b\x7f', 'DEL'),
  target('/a?\xc3\xa9', 'raw UTF-8'),
  target('/a?\u0130', 'not a byte'),
  path('/a b', 'a raw blank'),
  path('/a\0', 'NUL'),
  path('/a\xe9', 'latin1'),
  path('/..', 'above the root'),
  path('/a%2fb?c', 'an encoded slash'),
  path('http://h/%2e%2e/a', 'an encoded dot segment'),
  path('http://h/..;/a', 'a path parameter'),
  path('/\\evil.example', 'a backslash'),
  { method: 'CONNECT', raw: 'h:443', code: 'method-unknown', why: 'no tunnels' },
  { method: 'CONNECT', raw: '/', code: 'method-unknown', why: 'no tunnels' },
];

/** Values of `Host`: what is read, or undefined where it is refused. */
export const goodHosts: readonly (readonly [value: string, host: string, authority: string])[] = [
  ['example.com', 'example.com', 'example.com'],
  ['Example.COM', 'example.com', 'example.com'],
  ['EXAMPLE.com:8080', 'example.com', 'example.com:8080'],
  ['example.com.', 'example.com', 'example.com'],
  ['Example.com.:443', 'example.com', 'example.com:443'],
  ['h', 'h', 'h'],
  ['localhost:3000', 'localhost', 'localhost:3000'],
  ['my_service', 'my_service', 'my_service'],
  ['my_service:9001', 'my_service', 'my_service:9001'],
  ['_dmarc.example.com', '_dmarc.example.com', '_dmarc.example.com'],
  ['xn--bcher-kva.example', 'xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ['a-b.c-d', 'a-b.c-d', 'a-b.c-d'],
  ['3com.example', '3com.example', '3com.example'],
  ['1.2.3.4.example', '1.2.3.4.example', '1.2.3.4.example'],
  ['cafe', 'cafe', 'cafe'],
  ['beef.fade', 'beef.fade', 'beef.fade'],
  ['a1', 'a1', 'a1'],
  ['x0', 'x0', 'x0'],
  ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
  ['127.0.0.1:1', '127.0.0.1', '127.0.0.1:1'],
  ['0.0.0.0', '0.0.0.0', '0.0.0.0'],
  ['h:65535', 'h', 'h:65535'],
  ['[::1]', '[::1]', '[::1]'],
  ['[::1]:8080', '[::1]', '[::1]:8080'],
  ['[2001:DB8::A]', '[2001:db8::a]', '[2001:db8::a]'],
  ['[2001:db8:0:0:0:0:0:1]', '[2001:db8::1]', '[2001:db8::1]'],
  [`${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`],
];

export const badHosts: readonly string[] = [
  '', ' ', '.', '..', ':', ':80', 'h:', 'h:0', 'h:00', 'h:080', 'h:65536', 'h:100000', 'h:8a', 'h:+80', 'h:-1', 'h: 80', 'h:80:80', 'h:80 ', ' h', 'h ',
  'a..b', '.a', 'a..', 'a.:', 'a b', 'a\tb', 'a\0b', 'a\r\nb', 'a\x7fb', 'a/b', 'a\\b', 'a?b', 'a#b', 'a@b', 'u:p@h', '@h', 'a%2eb', 'a%00', 'a,b', 'a;b', 'a*b', '*',
  '*.example.com', "a'b", 'a"b', 'a<b', 'a[b]', 'a~b', 'a!b', 'a$b', 'a&b', 'a(b)', 'a+b', 'a=b', 'a|b', 'a^b', 'a`b', 'a{b}',
  'b\xfccher.example', '\xe2\x80\xa5', '\u212a.example',
  '1', '127', '127.1', '127.0.1', '1.2.3.4.5', '256.1.1.1', '1.2.3.04', '01.2.3.4', '0x7f.0.0.1', '0x7f000001', '2130706433', '1.2.3.0x4', 'a.1', 'a.0x1f', 'example.0',
  '1.2.3.4.', 'a.1.',
  '[]', '[', ']', '[::1', '::1', '[::1]a', '[::1]:', '[::1]:0', '[::1]:99999', '[::1%25eth0]', '[fe80::1%eth0]', '[v1.a]', '[1.2.3.4]', '[::g]', '[::1]]', '[[::1]]', 'a[::1]',
  `${'a'.repeat(64)}.example`, `${'a.'.repeat(127)}ab`, 'a'.repeat(300),
];
