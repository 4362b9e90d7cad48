import { beforeEach, describe, expect, it } from '@jest/globals';
import { TermOverError } from '@bff/infra/cache/cache.errors';
import type { Checkpoints } from '@bff/infra/fleet/checkpoints';
import type { ConsumerLeases, ConsumerTerm } from '@bff/infra/fleet/consumer-leases';
import { eventually } from '../support/eventually.js';

export interface ConsumerLeasesUnderTest {
  readonly leases: ConsumerLeases;
  readonly checkpoints: Checkpoints;
}

const LONG_MS = 60_000;
const NO_FEEDS: ReadonlyMap<string, number> = new Map();

/** The contract of every implementation of the `ConsumerLeases` port, and of `Checkpoints` with a term. */
export function describeConsumerLeases(name: string, create: () => Promise<ConsumerLeasesUnderTest>): void {
  describe(`ConsumerLeases: ${name}`, () => {
    let leases: ConsumerLeases;
    let checkpoints: Checkpoints;
    beforeEach(async () => {
      ({ leases, checkpoints } = await create());
    });
    const acquire = async (holder: string, leaseMs = LONG_MS) =>
      (await leases.acquire('events', holder, leaseMs)) as ConsumerTerm;

    it('have one holder, whom the others can see, and who may ask again', async () => {
      expect(await leases.holder('events')).toBeUndefined();
      const first = await acquire('a');
      expect(await acquire('b')).toBeUndefined();
      expect(await leases.acquire('others', 'b', LONG_MS)).toMatchObject({ consumer: 'others', holder: 'b' });
      expect((await leases.holder('events'))?.holder).toBe('a');
      const again = await acquire('a');
      expect(again.fence).not.toBe(first.fence);
      expect(await leases.renew(first, LONG_MS, NO_FEEDS)).toBe(false);
      expect(await leases.renew(again, LONG_MS, NO_FEEDS)).toBe(true);
    });

    it('pass to another when released, and when nothing is heard of the holder', async () => {
      await leases.release(await acquire('a'));
      const second = await acquire('b', 30);
      await eventually(async () => (await acquire('c')) !== undefined, { what: 'the lease has run out' });
      expect((await leases.holder('events'))?.holder).toBe('c');
      expect(await leases.renew(second, LONG_MS, NO_FEEDS)).toBe(false);
      await leases.release(second); // the term is over, so this ends nothing
      expect((await leases.holder('events'))?.holder).toBe('c');
    });

    it('are prolonged by the holder', async () => {
      const term = await acquire('a', 1000);
      expect(await leases.renew(term, LONG_MS, NO_FEEDS)).toBe(true);
      expect((await leases.holder('events'))?.expiresInMs).toBeGreaterThan(30_000);
    });

    it('[invariant 14] let only the present term save a position', async () => {
      const term = await acquire('a');
      await checkpoints.save('orders', '1', term);
      await leases.release(term);
      await expect(checkpoints.save('orders', '2', term)).rejects.toThrow(TermOverError);
      const next = await acquire('b');
      await expect(checkpoints.save('orders', '3', term)).rejects.toMatchObject({ code: 'CACHE_TERM_OVER' });
      expect(await checkpoints.load('orders')).toBe('1');
      await checkpoints.save('orders', '4', next);
      expect(await checkpoints.load('orders')).toBe('4');
    });

    it('[invariant 14] tell how long ago each feed was up to date, which grows while nobody follows it', async () => {
      expect(await leases.feedAges()).toEqual(new Map());
      const term = await acquire('a');
      await leases.renew(term, LONG_MS, new Map([['Order', 5_000], ['Account', 90_000]])); // prettier-ignore
      const age = async (feed: string) => (await leases.feedAges()).get(feed) as number;
      expect(await age('Order')).toBeGreaterThanOrEqual(4_900);
      expect(await age('Order')).toBeLessThan(60_000);
      expect(await age('Account')).toBeGreaterThanOrEqual(89_900);
      await leases.renew(term, LONG_MS, new Map([['Order', 300_000]]));
      expect(await age('Order')).toBeGreaterThanOrEqual(300_000); // a greater age counts as well: events were lost
      await leases.renew(term, LONG_MS, new Map([['Account', 0]]));
      expect(await age('Account')).toBeLessThan(90_000);
      const before = await age('Account');
      await eventually(async () => (await age('Account')) > before + 5, { what: 'the feed has grown older' });
      await leases.release(term);
      await leases.renew(term, LONG_MS, new Map([['Account', 0], ['Product2', 0]])); // prettier-ignore
      expect(await age('Account')).toBeGreaterThan(before);
      expect(await age('Product2')).toBeUndefined();
    });
  });
}
