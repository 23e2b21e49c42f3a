import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openError } from './open-error.ts';

test('an address that cannot be opened is told with what, where and why', () => {
  const address = { host: '127.0.0.1', port: 80 };
  const told = (code: string) => openError('listener web', address, Object.assign(new Error('listen EX'), { code }));
  const cases: [string, string][] = [
    ['EADDRINUSE', 'listener web cannot be opened: 127.0.0.1:80 is taken by another program (EADDRINUSE)'],
    ['EADDRNOTAVAIL', 'listener web cannot be opened: 127.0.0.1 is no address of this machine (EADDRNOTAVAIL)'],
    ['EMFILE', 'listener web cannot be opened: listen EX'],
  ];
  for (const [code, message] of cases) assert.equal(told(code).message, message);
  assert.match(told('EACCES').message, /CAP_NET_BIND_SERVICE/);
  assert.equal((told('EACCES') as NodeJS.ErrnoException).code, 'EACCES');
  const known = openError('x', address, Object.assign(new Error(), { code: 'EADDRINUSE' }), 'by listener y');
  assert.equal(known.message, 'x cannot be opened: 127.0.0.1:80 is taken by listener y (EADDRINUSE)');
});
