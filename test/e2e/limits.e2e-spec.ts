import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { elapse, eventually } from '../support/eventually.js';
import { Portal, type Answer } from './support/portal.js';

const FETCHES = 60;
/** Short enough for several windows, and much longer than the fetches of one take. */
const WINDOW_SECONDS = 12;
/** What the other process has taken of a window and not used, at most: a block of a twentieth less one. */
const UNUSED_MAX = FETCHES / 20 - 1;
const WRITES = 3;
/** Long enough to last through the test, so that no second window begins. */
const WRITES_SECONDS = 600;
/** How long the greedy customer goes on. */
const GREEDY_MS = 30_000;
const PARALLEL = 20;
/** How long each of its parallel streams of requests waits after a refusal. */
const PAUSE_MS = 100;
const GREEDY = 1;
const HONEST = 2;
const OTHER = 3;
/** What a customer reads who has read nothing yet. */
const READS = ['/api/orders', '/api/invoices', '/api/catalog/eligibility', '/api/subscriptions'];

describe('[C2] a customer who asks for more than a share', () => {
  let portal: Portal;
  beforeAll(async () => {
    portal = await Portal.onRedis({
      LIMIT_FETCHES: `${FETCHES}/${WINDOW_SECONDS}`,
      LIMIT_WRITES: `${WRITES}/${WRITES_SECONDS}`,
      REDIS_COMMAND_TIMEOUT_MS: '10000', // on a busy machine a slower answer would begin the share of an outage
      SF_RECONCILE_SECONDS: '0', // its queries would be counted
    });
    const isLive = async () => (await portal.request('/health/sf-events')).status === 200;
    await eventually(isLive, { withinMs: 30_000, what: 'the stream is live' });
    // Users and catalog are known, so that what follows are the calls that the test causes. The catalog is everybody's:
    // the accounts have not taken a point yet.
    await portal.get('/api/catalog/sim', { customer: OTHER });
    for (const customer of [GREEDY, HONEST])
      for (const bff of [0, 1]) await portal.get('/api/catalog/sim', { customer, bff });
  });
  afterAll(() => portal.stop());

  /** An order that does not exist: each costs one call, unless it is refused. */
  let made = 0;
  const madeUp = (token: string, bff: number) => {
    made += 1;
    const headers = { authorization: `Bearer ${token}` };
    return portal.request(`/api/orders/801${String(made).padStart(12, '0')}`, { headers }, bff);
  };

  /** 20 parallel streams of requests for made-up orders, over both BFFs. */
  async function hammer(isOver: () => boolean): Promise<(Answer & { readonly at: number })[]> {
    const token = await portal.token(GREEDY);
    const answers: (Answer & { readonly at: number })[] = [];
    const one = async (_: unknown, i: number) => {
      while (!isOver()) {
        const answer = await madeUp(token, i % 2);
        answers.push({ ...answer, at: performance.now() });
        if (answer.status === 429) await elapse(PAUSE_MS);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, one));
    return answers;
  }

  it('causes as many calls as its policy has in each window, over all processes, and slows nobody', async () => {
    const beforeReads = await portal.queries();
    for (const path of READS) await portal.get(path, { customer: OTHER });
    const begin = performance.now();
    const before = await portal.queries();
    const ofReads = before - beforeReads;
    const isOver = () => performance.now() - begin > GREEDY_MS;
    expect((await portal.get('/api/catalog/eligibility', { customer: GREEDY })).status).toBe(200);
    const greedy = hammer(isOver);
    const honest: number[] = [];
    for (const path of READS)
      for (const bff of [0, 1]) honest.push((await portal.get(path, { customer: HONEST, bff })).status);
    const honestMadeUp: number[] = [];
    const token = await portal.token(HONEST);
    for (let bff = 0; !isOver(); bff = 1 - bff) {
      honestMadeUp.push((await madeUp(token, bff)).status);
      await elapse(1_000);
    }
    const answers = await greedy;
    expect(new Set(honest)).toEqual(new Set([200]));
    expect(new Set(honestMadeUp)).toEqual(new Set([404]));
    // A window begins with its first point, so this many can begin in the time, and no more.
    const windows = Math.floor((performance.now() - begin) / 1_000 / WINDOW_SECONDS) + 1;
    expect((await portal.queries()) - before).toBeLessThanOrEqual(windows * FETCHES + ofReads + honestMadeUp.length);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404, 429]));
    // It is served at once when a window begins, and refused from when the points are used up until the next begins.
    const served = bursts(answers.filter(({ status }) => status === 404).map(({ at }) => at));
    expect(served.length).toBeGreaterThanOrEqual(windows - 1);
    expect(served.length).toBeLessThanOrEqual(windows);
    const ofEligibility = 1;
    for (const count of served.slice(0, -1)) expect(count).toBeGreaterThanOrEqual(FETCHES - UNUSED_MAX - ofEligibility);
    for (const count of served) expect(count).toBeLessThanOrEqual(FETCHES);
    const refused = answers.find(({ status }) => status === 429) as Answer;
    expect(refused.body).toMatchObject({ code: 'RATE_LIMITED', 'violated-policies': ['fetch'] });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('ratelimit-policy')).toContain(`"fetch";q=${FETCHES};w=${WINDOW_SECONDS}`);
    expect(refused.headers.get('ratelimit')).toMatch(/"fetch";r=0;t=\d+/);
  });

  it('still reads what is at hand, places orders until that limit is reached, and no more in the other process', async () => {
    const { products } = (await portal.get('/api/catalog/sim', { customer: HONEST })).body as {
      products: { id: string }[];
    };
    const token = await portal.token(GREEDY);
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ items: [{ productId: products[0]?.id, quantity: 1 }] });
    const order = (bff: number) => portal.request('/api/orders', { method: 'POST', headers, body }, bff);
    // Whenever fetches come back, they are used up again.
    let isOver = false;
    const greedy = hammer(() => isOver);
    await eventually(async () => (await madeUp(token, 0)).status === 429, { what: 'no fetch is left' });
    expect((await portal.get('/api/catalog/eligibility', { customer: GREEDY })).status).toBe(200);
    const statuses: number[] = [];
    for (let i = 0; i < WRITES + 2; i++) statuses.push((await order(i % 2)).status);
    isOver = true;
    await greedy;
    expect(statuses).toEqual([201, 201, 201, 429, 429]);
  });
});

/** How many came one after the other, without a pause of a third of a window between them. */
function bursts(instants: readonly number[]): number[] {
  const counts: number[] = [];
  let last = -Infinity;
  for (const at of [...instants].sort((a, b) => a - b)) {
    if (at - last > (WINDOW_SECONDS * 1_000) / 3) counts.push(0);
    counts[counts.length - 1] = (counts.at(-1) ?? 0) + 1;
    last = at;
  }
  return counts;
}
