import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import type { AppProcess } from './support/app-process.js';
import { Portal } from './support/portal.js';

type Follow = (options: {
  url: string;
  token: () => Promise<string>;
  tell: (event: string, data: Record<string, unknown>) => void;
  signal: AbortSignal;
}) => Promise<void>;

const deployments = [
  { name: 'one process, embedded store', start: () => Portal.embedded(), bffs: 1 },
  { name: 'Redis, two BFFs and a worker', start: () => Portal.onRedis(), bffs: 2 },
];

describe.each(deployments)('browsers of the portal: $name', ({ start, bffs }) => {
  let portal: Portal;
  let followEvents: Follow;
  const leaving = new AbortController();
  const last = bffs - 1;

  beforeAll(async () => {
    followEvents = await documentedReader();
    portal = await start();
    await eventually(async () => (await portal.request('/health/sf-events')).status === 200, { withinMs: 20_000 });
  });
  afterAll(async () => {
    leaving.abort();
    await portal.stop();
  });

  /** A browser that runs the code of docs/reference/browser-events.md; returns the events that it receives. */
  function browser(customer: number, bff = last): { event: string; data: Record<string, unknown> }[] {
    const told: { event: string; data: Record<string, unknown> }[] = [];
    void followEvents({
      url: `${portal.bffUrls[bff]}/api/events`,
      token: () => portal.token(customer),
      tell: (event, data) => told.push({ event, data }),
      signal: leaving.signal,
    });
    return told;
  }
  const has = (told: { event: string }[], event: string, after = 0) =>
    told.slice(after).some((each) => each.event === event);
  const orders = async (customer: number, bff = last) =>
    (await portal.get('/api/orders', { customer, bff })).body as { id: string; status: string }[];

  it('[P19] hear of a change in Salesforce, and read what it says now at once; other accounts are not', async () => {
    const [mine, others] = [browser(1), browser(2)];
    await eventually(() => has(mine, 'ready') && has(others, 'ready'));
    const [order] = (await orders(1)) as [{ id: string; status: string }];
    await orders(2);
    for (const status of ['Cancelled', 'Activated', 'Cancelled']) {
      await orders(1);
      const before = mine.length;
      await portal.change('Order', order.id, { Status: status });
      await eventually(() => has(mine, 'orders.changed', before), { withinMs: 10_000, what: 'orders.changed' });
      expect((await orders(1)).find(({ id }) => id === order.id)?.status).toBe(status);
    }
    expect(has(others, 'orders.changed')).toBe(false);
  });

  it('all hear of the catalog, and of an eligibility its account', async () => {
    const [mine, others] = [browser(1), browser(2)];
    await eventually(() => has(mine, 'ready') && has(others, 'ready'));
    const { accountId } = (await portal.get('/api/catalog/eligibility', { customer: 1 })).body as { accountId: string };
    await portal.salesforce('POST', '/sobjects/Account_Eligibility_Update__e', { Account_Id__c: accountId });
    await eventually(() => has(mine, 'eligibility.changed'), { withinMs: 10_000 });
    const { products } = (await portal.get('/api/catalog/sim')).body as { products: { id: string }[] };
    await portal.change('Product2', products[0]?.id as string, { Name: 'Another name' });
    await eventually(() => has(mine, 'catalog.changed') && has(others, 'catalog.changed'), { withinMs: 10_000 });
    expect(has(others, 'eligibility.changed')).toBe(false);
  });

  it('are sent away by a process that ends, which does not wait for them, and miss nothing when they come back', async () => {
    const told = browser(3);
    await eventually(() => has(told, 'ready'));
    const [order] = (await orders(3)) as [{ id: string; status: string }];
    const ending = portal.bffs[last] as AppProcess;
    ending.signal('SIGTERM');
    const begin = performance.now();
    expect(await ending.exit()).toBe(0);
    expect(performance.now() - begin).toBeLessThan(8_000);
    await eventually(() => has(told, 'closing'));
    expect(told.find(({ event }) => event === 'closing')?.data).toEqual({ reason: 'shutdown' });
    // The notice board of the embedded store ends with the process, and the next one does not know the browser's last
    // id: the browser receives a resync, whether or not something has changed meanwhile.
    if (bffs > 1) await portal.change('Order', order.id, { Status: order.status === 'Draft' ? 'Activated' : 'Draft' });
    await portal.restartBff(last);
    const expected = bffs > 1 ? 'orders.changed' : 'resync';
    await eventually(() => has(told, expected), { withinMs: 20_000, what: expected });
    if (bffs > 1) expect(told.some(({ event, data }) => event === 'ready' && data['isResumed'] === true)).toBe(true);
  });
});

/** The function `followEvents` of docs/reference/browser-events.md, so that the page's own code is tested. */
async function documentedReader(): Promise<Follow> {
  const page = readFileSync('docs/reference/browser-events.md', 'utf8');
  const code = /```js\n([^]*?)```/.exec(page)?.[1];
  if (code === undefined) throw new Error('docs/reference/browser-events.md shows no reader');
  const module = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as { followEvents: Follow };
  return module.followEvents;
}
