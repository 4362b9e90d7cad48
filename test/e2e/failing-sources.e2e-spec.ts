import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { Portal } from './support/portal.js';

interface Health {
  readonly status: string;
  readonly details: Readonly<Record<string, { readonly status: string; readonly reason?: string }>>;
}

describe('a source whose calls all fail', () => {
  let portal: Portal;
  beforeAll(async () => {
    portal = await Portal.embedded();
    await eventually(async () => (await health()).status === 'ok', { withinMs: 20_000, what: 'all is well' });
  }, 60_000);
  afterAll(() => portal.stop());
  afterEach(() => fetch(`${portal.sandboxUrl}/sandbox/faults`, { method: 'DELETE' }));

  const health = async () => (await portal.request('/health')).body as Health;
  let customer = 0;
  /** A customer whose pages are not cached yet; the demo has three. */
  const nobodyYet = () => (customer += 1);

  it.each([
    ['salesforce', 'rest', 'unavailable', 'SALESFORCE_UNAVAILABLE', '/api/orders'],
    ['salesforce', 'rest', 'request-limit', 'SALESFORCE_LIMIT_EXCEEDED', '/api/orders'],
    ['whmcs', 'whmcs', 'unavailable', 'WHMCS_UNAVAILABLE', '/api/invoices'],
  ])(
    '[N9] makes %s degraded while the sandbox refuses `%s` as %s, and nothing else; one success ends it',
    async (source, target, error, code, path) => {
      const calls = { customer: nobodyYet() };
      if (source === 'whmcs') await portal.get('/api/orders', calls); // the account of the customer is known
      await portal.fault({ fault: 'refuse', target, error, count: 100_000 });
      await eventually(
        async () => {
          expect((await portal.get(path, calls)).status).toBe(503);
          return (await health()).status === 'degraded';
        },
        { withinMs: 20_000, what: 'health shows it' },
      );
      const { details } = await health();
      const reason = new RegExp(
        String.raw`^no call has succeeded since .*Z: \d+ have failed, the newest \d+ s ago with ${code}$`,
      );
      expect(details[source]).toMatchObject({
        status: 'degraded',
        reason: expect.stringMatching(reason),
        lastFailureCode: code,
      });
      expect(details[source === 'whmcs' ? 'salesforce' : 'whmcs']?.status).toBe('up');
      expect((await portal.request('/health')).status).toBe(200);
      expect((await portal.request('/health/ready')).status).toBe(200);

      await fetch(`${portal.sandboxUrl}/sandbox/faults`, { method: 'DELETE' });
      expect((await portal.get(path, calls)).status).toBe(200);
      expect(await health()).toMatchObject({
        status: 'ok',
        details: { [source]: { status: 'up', lastFailureCode: code } },
      });
    },
    40_000,
  );
});
