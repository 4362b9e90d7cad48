import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { Portal, type Answer } from './support/portal.js';

const FETCHES = 60;
const WRITES = 3;
/** Long enough to last through the test, so that no second window begins. */
const WINDOW_SECONDS = 600;
/** How long the greedy customer goes on. */
const GREEDY_MS = 6_000;
const PARALLEL = 20;
const GREEDY = 1;
const HONEST = 2;

interface Stats {
  readonly salesforce: Readonly<Record<string, number>>;
}

describe('[C2] a customer who asks for more than a share', () => {
  let portal: Portal;
  beforeAll(async () => {
    portal = await Portal.onRedis({
      LIMIT_FETCHES: `${FETCHES}/${WINDOW_SECONDS}`,
      LIMIT_WRITES: `${WRITES}/${WINDOW_SECONDS}`,
      REDIS_COMMAND_TIMEOUT_MS: '10000', // on a busy machine a slower answer would begin the share of an outage
      SF_RECONCILE_SECONDS: '0', // its queries would be counted
    });
    const isLive = async () => (await portal.request('/health/sf-events')).status === 200;
    await eventually(isLive, { withinMs: 30_000, what: 'the stream is live' });
    // Users and catalog are known, so that what follows are the calls that the test causes.
    for (const customer of [GREEDY, HONEST])
      for (const bff of [0, 1]) await portal.get('/api/catalog/eligibility', { customer, bff });
  });
  afterAll(() => portal.stop());

  const queries = async () => {
    const stats = (await (await fetch(`${portal.sandboxUrl}/sandbox/stats`)).json()) as Stats;
    return stats.salesforce['queries'] as number;
  };

  /** The answers to 20 parallel streams of requests for orders that do not exist, over both BFFs. */
  async function hammer(): Promise<Answer[]> {
    const headers = { authorization: `Bearer ${await portal.token(GREEDY)}` };
    const end = performance.now() + GREEDY_MS;
    const answers: Answer[] = [];
    let made = 0;
    const one = async (_: unknown, i: number) => {
      while (performance.now() < end) {
        const id = `801${String(++made).padStart(12, '0')}`;
        answers.push(await portal.request(`/api/orders/${id}`, { headers }, i % 2));
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, one));
    return answers;
  }

  it('causes as many calls as its policy has in the window, over all processes, and slows nobody', async () => {
    const before = await queries();
    const greedy = hammer();
    const honest: Answer[] = [];
    for (const path of ['/api/orders', '/api/invoices', '/api/catalog/eligibility', '/api/subscriptions'])
      for (const bff of [0, 1]) honest.push(await portal.get(path, { customer: HONEST, bff }));
    expect(honest.map(({ status }) => status)).toEqual(honest.map(() => 200));
    const answers = await greedy;
    const left = honest.map(({ headers }) =>
      Number(/"fetch";r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1] ?? NaN),
    );
    const ofHonest = FETCHES - Math.min(FETCHES, ...left.filter((count) => !Number.isNaN(count)));
    expect((await queries()) - before).toBeLessThanOrEqual(FETCHES + ofHonest);
    const found = new Set(answers.map(({ status }) => status));
    expect(found).toEqual(new Set([404, 429]));
    const asked = answers.filter(({ status }) => status === 404);
    const inBlocks = FETCHES / 20; // what another process has taken and not used, at most
    expect(asked.length).toBeGreaterThan(FETCHES - inBlocks - 1); // each such order costs one call
    expect(asked.length).toBeLessThanOrEqual(FETCHES);
    const refused = answers.find(({ status }) => status === 429) as Answer;
    expect(refused.body).toMatchObject({ code: 'RATE_LIMITED', 'violated-policies': ['fetch'] });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('ratelimit-policy')).toContain(`"fetch";q=${FETCHES};w=${WINDOW_SECONDS}`);
    expect(refused.headers.get('ratelimit')).toMatch(/"fetch";r=0;t=\d+/);
  });

  it('still reads what is at hand, places orders until that limit is reached, and no more in the other process', async () => {
    expect((await portal.get('/api/catalog/eligibility', { customer: GREEDY })).status).toBe(200);
    const { products } = (await portal.get('/api/catalog/sim', { customer: HONEST })).body as {
      products: { id: string }[];
    };
    const headers = { authorization: `Bearer ${await portal.token(GREEDY)}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ items: [{ productId: products[0]?.id, quantity: 1 }] });
    const order = (bff: number) => portal.request('/api/orders', { method: 'POST', headers, body }, bff);
    const statuses: number[] = [];
    for (let i = 0; i < WRITES + 2; i++) statuses.push((await order(i % 2)).status);
    expect(statuses).toEqual([201, 201, 201, 429, 429]);
  });
});
