import { describe, expect, it } from '@jest/globals';
import { sandboxOptionsFrom } from './sandbox.options.js';

describe('the environment of the sandbox', () => {
  it('is optional: everything has a default, and empty counts as not set', () => {
    expect(sandboxOptionsFrom({ SANDBOX_DATA: '', PATH: '/bin' })).toMatchObject({
      port: 4000,
      host: '127.0.0.1',
      latencyMs: 300,
      portalUrl: 'http://127.0.0.1:3000',
      dataFolder: undefined,
      sessionSeconds: 7_200,
    });
  });

  it('is refused with every bad value named', () => {
    const bad = {
      SANDBOX_PORT: '70000',
      SANDBOX_LATENCY_MS: 'slow',
      SANDBOX_JWT_PUBLIC_KEY: 'nonsense',
      SANDBOX_PUBLIC_URL: 'here',
      SANDBOX_ALLOWED_HOSTS: 'a host',
    };
    let message = '';
    try {
      sandboxOptionsFrom(bad);
    } catch (error) {
      message = (error as Error).message;
    }
    for (const name of Object.keys(bad)) expect(message).toContain(name);
  });
});
