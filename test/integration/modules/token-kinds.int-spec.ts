import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { Portal } from './support/portal.js';
import { AUDIENCE } from './support/token-issuer.js';

let portal: Portal;

beforeAll(async () => {
  portal = await Portal.open();
});
afterAll(() => portal.close());

/** The status and the challenge for a token of the issuer with these claims. */
async function answer(claims: string, header: { typ?: string } = {}, exp = '$exp'): Promise<[number, unknown]> {
  const token = await portal.issuer.sign(
    `{"iss":"$iss","sub":"alice","aud":"${AUDIENCE}","exp":${exp}${claims}}`,
    header,
  );
  const { statusCode, headers } = await portal.anonymous('/api/orders', { authorization: `Bearer ${token}` });
  return [statusCode, headers['www-authenticate']];
}

const challenge = (reason: RegExp | string) =>
  expect.stringMatching(new RegExp(`^Bearer realm="evergreen", error="invalid_token", error_description=".*${reason}`));

describe('a token of our issuer', () => {
  it.each([{}, { typ: 'JWT' }, { typ: 'at+jwt' }, { typ: 'application/at+jwt' }])(
    '[C13] is taken as an access token: %p',
    async (header) => expect(await answer('', header)).toEqual([200, undefined]),
  );

  it.each(['logout+jwt', 'secevent+jwt', 'dpop+jwt', 'id+jwt', 'no"quotes\\"'])(
    '[C13] of another type is refused: %s',
    async (typ) => expect(await answer('', { typ })).toEqual([401, challenge('its type must be at\\+jwt or JWT"$')]),
  );

  it('[C13] for another purpose is refused', async () => {
    for (const claims of [',"nonce":"n"', ',"at_hash":"h"', ',"events":{}', ',"token_use":"id"', ',"typ":"ID"']) {
      expect(await answer(claims)).toEqual([401, challenge('it is not an access token')]);
    }
    expect(await answer(',"cnf":{"jkt":"x"}', { typ: 'at+jwt' })).toEqual([401, challenge('bound to a key')]);
  });

  it.each(['1e400', '-1e400', '1e21', '"9999999999"', 'null', '[]', '9999999999', '4102444800000'])(
    '[C13] that ends at %s is refused',
    async (exp) => expect((await answer('', {}, exp))[0]).toBe(401),
  );

  it.each([',"iat":1e400', ',"nbf":-1e400', ',"nbf":9999999999', ',"iat":"x"'])(
    '[C13] that begins at %s is refused',
    async (claims) => expect((await answer(claims))[0]).toBe(401),
  );
});

it('[C13] the tokens of the sandbox are access tokens', async () => {
  const sandbox = await startSandbox({ port: 0 });
  const demo = await Portal.open({ AUTH_ISSUER: sandbox.url, AUTH_JWKS_URL: `${sandbox.url}/.well-known/jwks.json` });
  try {
    const token = await (await fetch(`${sandbox.url}/demo/token/1`)).text();
    const { statusCode } = await demo.anonymous('/api/orders', { authorization: `Bearer ${token}` });
    expect(statusCode).toBe(403); // the token is good; this org has no such customer
  } finally {
    await demo.close();
    await sandbox.close();
  }
});
