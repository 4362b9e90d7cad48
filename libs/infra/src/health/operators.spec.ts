import { describe, expect, it } from '@jest/globals';
import { Operators } from './operators.js';

const token = 'k3yK3yk3yK3yk3yK3yk3yK3yk3yK3yk3y';
const from = (remoteAddress: string | undefined, authorization?: string) => ({
  socket: { remoteAddress },
  headers: { authorization },
});

describe('operators', () => {
  const operators = new Operators({ token, addresses: ['127.0.0.0/8', '::1', '10.1.0.0/16', 'fd00::/8', '192.0.2.7'] });

  it.each(['127.0.0.1', '127.3.2.1', '::1', '::ffff:127.0.0.1', '::ffff:10.1.2.3', '10.1.255.255', 'fd12::1%eth0', '192.0.2.7'])(
    '[C11] are known by the address %s of their connection',
    (address) => expect(operators.includes(from(address))).toBe(true),
  ); // prettier-ignore

  it.each(['10.2.0.1', '::ffff:10.2.0.1', '192.0.2.8', 'fe80::1%eth0', '', 'localhost', undefined])(
    '[C11] are not those at %s',
    (address) => expect(operators.includes(from(address))).toBe(false),
  );

  it('[C11] are known by their token from anywhere, and by nothing like it', () => {
    const given = (authorization: string) => operators.includes(from('203.0.113.1', authorization));
    expect(given(`Bearer ${token}`)).toBe(true);
    expect(given(`bearer  ${token} `)).toBe(true);
    for (const wrong of [token, `Basic ${token}`, `Bearer ${token}x`, `Bearer ${token.slice(1)}`, 'Bearer', 'Bearer  '])
      expect(given(wrong)).toBe(false);
  });

  it('[C11] are nobody where neither is set', () => {
    const nobody = new Operators({ token: undefined, addresses: [] });
    expect(nobody.includes(from('127.0.0.1', 'Bearer undefined'))).toBe(false);
    expect(nobody.includes(from('::1'))).toBe(false);
  });

  it('[C11] are not believed to be where a header says', () => {
    const request = { ...from('203.0.113.1'), headers: { 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1' } };
    expect(operators.includes(request as never)).toBe(false);
  });
});
