import type { CacheService } from '@bff/infra/cache/cache.service';
import type { Fetcher } from '@bff/infra/cache/cache.types';
import { createCache } from '@bff/infra/cache/create-cache';
import { namespace } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { hybrid, ttl } from '@bff/infra/cache/strategies';
import { expect, it } from '@jest/globals';

interface Ticket {
  readonly isClosed: boolean;
}

class DeskCache extends DomainCache {
  private readonly agents = this.bucket<string[]>('agents', { strategy: ttl(60), ttlJitter: 0.1 });
  private readonly ticket = this.bucket<Ticket>('ticket', {
    strategy: hybrid((ticket) => (ticket.isClosed ? 3600 : 30)),
  });

  constructor(cache: CacheService) {
    super('desk', cache);
  }

  getAgents(fetcher: Fetcher<string[]>): Promise<string[]> {
    return this.agents.get(['all'], fetcher);
  }

  getTicket(id: string, fetcher: Fetcher<Ticket>): Promise<Ticket> {
    return this.ticket.get([id], fetcher);
  }

  /** Now, whatever is cached: for the page that follows the customer's own click. */
  getTicketNow(id: string, fetcher: Fetcher<Ticket>): Promise<Ticket> {
    return this.ticket.get([id], fetcher, { maxAgeSeconds: 0 });
  }

  answered(id: string) {
    return this.invalidate(this.ticket.entry([id]));
  }

  imported() {
    return this.invalidate(namespace('desk'));
  }
}

it('entries end by time, by a call, or for one read', async () => {
  const cache = createCache();
  const desk = new DeskCache(cache);
  let fetches = 0;
  const fetcher: Fetcher<Ticket> = async () => ({ isClosed: fetches++ > 1 });
  await desk.getTicket('7', fetcher);
  await desk.getTicket('7', fetcher);
  expect(fetches).toBe(1);
  await desk.answered('7');
  await desk.getTicket('7', fetcher);
  expect(fetches).toBe(2);
  expect(await desk.getTicketNow('7', fetcher)).toEqual({ isClosed: true });
  await desk.imported();
  await desk.getTicket('7', fetcher);
  expect(fetches).toBe(4);
  expect(await desk.getAgents(async () => ['Ada'])).toEqual(['Ada']);
  expect(desk.ttlSeconds()).toEqual({ agents: 60, ticket: null });
  await cache.close();
});
