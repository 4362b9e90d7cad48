import { describe, expect, it } from '@jest/globals';
import { accessTokenFault, type AccessTokenRules } from './access-token.js';

const NOW = 1_800_000_000;
const both: AccessTokenRules = { types: ['at+jwt', 'JWT'], lifetimeMaxSeconds: 86_400 };

function fault(typ: unknown, claims: object = {}, rules = both): string | undefined {
  return accessTokenFault(
    { alg: 'RS256', ...(typ !== undefined && { typ: typ as string }) },
    { sub: 'alice', exp: NOW + 600, ...claims },
    rules,
    5,
    NOW,
  );
}

describe('the type of a token', () => {
  it.each([undefined, 'JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt'])('[C13] may be %s', (typ) => {
    expect(fault(typ)).toBeUndefined();
  });

  it.each(['logout+jwt', 'secevent+jwt', 'dpop+jwt', 'application/logout+jwt', 'rt+jwt', 'JWT ', '', 1, null, ['JWT']])(
    '[C13] must not be %p',
    (typ) => expect(fault(typ)).toBe('its type must be at+jwt or JWT'),
  );

  it('[C13] can be demanded as RFC 9068 has it', () => {
    const strict = { ...both, types: ['at+jwt'] } as const;
    expect(fault('at+jwt', {}, strict)).toBeUndefined();
    for (const typ of [undefined, 'JWT']) expect(fault(typ, {}, strict)).toBe('its type must be at+jwt');
  });
});

describe('a claim', () => {
  it.each([
    ['nonce', { nonce: 'n' }],
    ['at_hash', { at_hash: 'h' }],
    ['c_hash', { c_hash: 'h' }],
    ['events', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }],
    ['token_use', { token_use: 'id' }],
    ['typ of an ID token', { typ: 'ID' }],
    ['typ of a refresh token', { typ: 'Refresh' }],
  ])('[C13] shows that a token is no access token: %s', (_, claims) => {
    expect(fault('JWT', claims)).toBe('it is not an access token');
  });

  it('[C13] binds a token to a key that its sender cannot prove here', () => {
    expect(fault('at+jwt', { cnf: { jkt: 'x' } })).toContain('bound to a key');
  });

  it('[C13] of an access token may tell how its user signed in', () => {
    expect(fault('JWT', { auth_time: NOW, acr: '1', sid: 's', token_use: 'access', typ: 'Bearer' })).toBeUndefined();
    expect(fault('at+jwt', { nonce: 'n' })).toBeUndefined();
  });
});

describe('the end of a token', () => {
  it.each([Infinity, NaN, 1e21, NOW + 600.5, String(NOW + 600), null, undefined])('[C13] must not be %p', (exp) => {
    expect(fault('at+jwt', { exp })).toBe('its claim exp is not acceptable');
  });

  it('[C13] must not be further away than the longest life', () => {
    expect(fault('at+jwt', { exp: NOW + 86_405 })).toBeUndefined();
    expect(fault('at+jwt', { exp: NOW + 86_406 })).toBe('it ends too far in the future');
  });

  it.each([
    ['iat', Infinity],
    ['iat', NOW + 600],
    ['nbf', -Infinity],
    ['nbf', '0'],
  ])('[C13] must follow a beginning that makes sense: %s %p', (claim, value) => {
    expect(fault('at+jwt', { [claim]: value })).toBe(`its claim ${claim} is not acceptable`);
    expect(fault('at+jwt', { [claim]: NOW - 60 })).toBeUndefined();
  });
});
