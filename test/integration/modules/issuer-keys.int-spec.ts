import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadConfig } from '@bff/modules/config/load-config';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { TokenVerifier } from '../../../apps/bff/src/auth/token-verifier.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
type Answer = 'keys' | 'error' | 'hang' | 'empty' | 'unusable' | 'huge' | 'redirect' | 'html';

/** An issuer on a real port, whose keys and answers a test changes. It counts its requests. */
class Issuer {
  answer: Answer = 'keys';
  requests = 0;
  private readonly published: JWK[] = [];
  private readonly keys = new Map<string, CryptoKey>();
  private readonly server: Server;

  constructor() {
    this.server = createServer((_request, response) => {
      this.requests += 1;
      const reply = (status: number, text: string, headers = {}) => response.writeHead(status, headers).end(text);
      const bodies: Record<Exclude<Answer, 'hang'>, () => unknown> = {
        keys: () => reply(200, JSON.stringify({ keys: this.published })),
        error: () => reply(500, 'down'),
        empty: () => reply(200, '{"keys":[]}'),
        unusable: () => reply(200, JSON.stringify({ keys: this.published.map((key) => ({ ...key, use: 'enc' })) })),
        huge: () => reply(200, JSON.stringify({ keys: this.published, x: 'x'.repeat(2_000_000) })),
        redirect: () => reply(302, '', { location: 'http://127.0.0.1:9/' }),
        html: () => reply(200, '<html>'),
      };
      if (this.answer !== 'hang') bodies[this.answer]();
    });
  }

  async start(): Promise<void> {
    await this.rotate('first');
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Makes a key, and publishes it beside the others. */
  async rotate(kid: string): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    this.keys.set(kid, privateKey);
    this.published.push({ ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' });
  }

  withdraw(kid: string): void {
    this.published.splice(
      this.published.findIndex((key) => key.kid === kid),
      1,
    );
  }

  token(kid = 'first', named = kid, lifetimeMs = 100 * HOUR): Promise<string> {
    return new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid: named })
      .setSubject('alice')
      .setIssuer(this.url)
      .setAudience('a')
      .setExpirationTime(Math.floor((Date.now() + lifetimeMs) / 1_000))
      .sign(this.keys.get(kid) as CryptoKey);
  }
}

let issuer: Issuer;
let verifier: TokenVerifier;

const verifierWith = (more: Record<string, string> = {}) =>
  new TokenVerifier(
    loadConfig({ AUTH_ISSUER: issuer.url, AUTH_AUDIENCE: 'a', AUTH_TOKEN_LIFETIME_MAX_SECONDS: '604800', ...more }),
  );
/** Moves the clocks, which the test controls; the network and all timers are real. */
const pass = (ms: number) => jest.advanceTimersByTime(ms);
const status = async (token: string): Promise<unknown> => {
  try {
    return await verifier.subject(token);
  } catch (error) {
    return (error as { problem: { status: number } }).problem.status;
  }
};

beforeEach(async () => {
  Logger.overrideLogger(false);
  issuer = new Issuer();
  await issuer.start();
  const timers = [
    'setTimeout',
    'clearTimeout',
    'setInterval',
    'clearInterval',
    'setImmediate',
    'clearImmediate',
  ] as const;
  jest.useFakeTimers({ doNotFake: [...timers, 'nextTick', 'queueMicrotask', 'hrtime'] });
  verifier = verifierWith();
});
afterEach(async () => {
  jest.useRealTimers();
  await issuer.stop();
});

describe('[B10] while the issuer does not answer as it should', () => {
  const answers: Answer[] = ['error', 'hang', 'empty', 'unusable', 'huge', 'redirect', 'html'];

  it.each(answers)('(%s) valid tokens are accepted, and it is not asked once a request', async (answer) => {
    const token = await issuer.token();
    expect(await status(token)).toBe('alice');
    issuer.answer = answer;
    pass(15 * MINUTE);
    for (let i = 0; i < 20; i++) expect(await status(token)).toBe('alice');
    expect(issuer.requests).toBe(2);
    pass(HOUR);
    const begin = Number(process.hrtime.bigint() / 1_000_000n);
    for (let i = 0; i < 20; i++) expect(await status(token)).toBe('alice');
    expect(Number(process.hrtime.bigint() / 1_000_000n) - begin).toBeLessThan(2_000); // no call waits for the issuer
    expect(issuer.requests).toBe(3);
  });

  it('tokens that name unknown keys cause one fetch at a time, with pauses that grow', async () => {
    await issuer.rotate('hidden');
    issuer.withdraw('hidden');
    expect(await status(await issuer.token())).toBe('alice');
    issuer.answer = 'error';
    pass(MINUTE);
    const unknown = await issuer.token('hidden');
    const asked = async () => {
      const before = issuer.requests;
      const statuses = await Promise.all(Array.from({ length: 20 }, () => status(unknown)));
      expect(new Set(statuses)).toEqual(new Set([503]));
      return issuer.requests - before;
    };
    expect([await asked(), await asked()]).toEqual([1, 0]);
    pass(1_000);
    expect([await asked(), await asked()]).toEqual([1, 0]);
    pass(1_000);
    expect(await asked()).toBe(0);
    pass(1_000);
    expect(await asked()).toBe(1);
  });

  it('they are refused when the grace time is over, and accepted as soon as it answers', async () => {
    verifier = verifierWith({ AUTH_JWKS_GRACE_SECONDS: '600' });
    const token = await issuer.token();
    expect(await status(token)).toBe('alice');
    issuer.answer = 'error';
    pass(19 * MINUTE);
    expect(await status(token)).toBe('alice');
    pass(2 * MINUTE);
    expect([await status(token), await status(token)]).toEqual([503, 503]);
    expect(issuer.requests).toBe(3);
    issuer.answer = 'keys';
    pass(5_000);
    expect(await status(token)).toBe('alice');
  });

  it('a process that begins without keys asks with pauses of seconds, not once a request', async () => {
    issuer.answer = 'empty';
    const token = await issuer.token();
    for (let i = 0; i < 20; i++) expect(await status(token)).toBe(503);
    expect(issuer.requests).toBe(1);
    for (let i = 0; i < 20; i++) {
      pass(5_000);
      expect(await status(token)).toBe(503);
    }
    expect(issuer.requests).toBe(21);
    issuer.answer = 'keys';
    pass(5_000);
    expect(await status(token)).toBe('alice');
  });
});

describe('[B10] while the issuer answers', () => {
  it('a new key is accepted within five seconds, a withdrawn one for no longer than ten minutes, a made-up one never', async () => {
    const old = await issuer.token();
    expect(await status(old)).toBe('alice');
    await issuer.rotate('second');
    issuer.withdraw('first');
    const renewed = await issuer.token('second');
    expect([await status(renewed), issuer.requests]).toEqual([401, 1]);
    expect(await status(old)).toBe('alice');
    pass(10 * MINUTE);
    expect(await status(old)).toBe(401);
    expect([await status(renewed), issuer.requests]).toEqual(['alice', 2]);
    const madeUp = await issuer.token('first', 'third');
    for (let i = 0; i < 20; i++) expect(await status(madeUp)).toBe(401);
    expect(issuer.requests).toBe(2);
    pass(5_000);
    for (let i = 0; i < 20; i++) expect(await status(madeUp)).toBe(401);
    expect(issuer.requests).toBe(3);
  });

  it('the signature of a token is checked once', async () => {
    const [token, other] = [await issuer.token(), await issuer.token('first', 'first', HOUR)];
    expect(await status(token)).toBe('alice'); // before the keys are at hand
    const checks = jest.spyOn(crypto.subtle, 'verify');
    for (let i = 0; i < 20; i++) expect([await status(token), await status(other)]).toEqual(['alice', 'alice']);
    expect(checks).toHaveBeenCalledTimes(2);
    const [header, claims, signature = ''] = token.split('.');
    const [, foreign] = other.split('.');
    expect(await status([header, foreign, signature].join('.'))).toBe(401);
    expect(await status([header, claims, signature.slice(0, -4)].join('.'))).toBe(401);
  });

  it('a token that was found good is accepted until it ends, and no longer than its key', async () => {
    const short = await issuer.token('first', 'first', MINUTE);
    const long = await issuer.token();
    const both = async () => [await status(short), await status(long)];
    for (let i = 0; i < 3; i++) expect(await both()).toEqual(['alice', 'alice']);
    pass(MINUTE + 4_000); // within the tolerance
    expect(await both()).toEqual(['alice', 'alice']);
    pass(2_000);
    expect(await both()).toEqual([401, 'alice']);
    await issuer.rotate('second');
    issuer.withdraw('first');
    expect(await status(await issuer.token('second'))).toBe('alice'); // fetches the keys anew
    expect(await both()).toEqual([401, 401]);
  });
});
