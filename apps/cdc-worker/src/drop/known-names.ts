import type { CacheService } from '@bff/infra/cache/cache.service';
import { StoreUnavailableError } from '@bff/infra/cache/cache.errors';
import { encodePart } from '@bff/infra/cache/dependencies';
import { totalsOfDomain } from '@bff/infra/cache/domain-cache';
import type { ConsumerLeases } from '@bff/infra/fleet/consumer-leases';
import type { ProcessReports } from '@bff/infra/fleet/process-reports';

/**
 * Whether the application has a domain: a process that lives, or has ended in the last days, published its counters, or
 * the store holds an entry of it. True if the store does not answer, because then nobody knows.
 */
export async function isDomainKnown(domain: string, cache: CacheService, reports: ProcessReports): Promise<boolean> {
  const { processes, buckets, reason } = await totalsOfDomain(domain, reports);
  if (processes > 0 || Object.keys(buckets).length > 0 || reason !== undefined) return true;
  for await (const _ of cache.scan(`${encodePart(domain)}:*`)) return true;
  return false;
}

/**
 * A remark for a table on which no entry depended: undefined if a feed has its name, or if no feed is known. A fetcher
 * may name tables that no feed announces, so the remark says only what is known.
 */
export async function remarkOnTable(table: string, leases: ConsumerLeases): Promise<string | undefined> {
  const feeds = await feedNames(leases);
  if (feeds.length === 0 || feeds.includes(table)) return undefined;
  const meant = feeds.find((feed) => feed.toLowerCase() === table.toLowerCase());
  const names = meant === undefined ? `The feeds are ${feeds.join(', ')}.` : `Did you mean ${meant}?`;
  return `No feed of this application is named ${table}, so unless a fetcher names it, this dropped nothing. ${names}`;
}

async function feedNames(leases: ConsumerLeases): Promise<string[]> {
  try {
    return [...(await leases.feedAges()).keys()].sort();
  } catch (error) {
    if (error instanceof StoreUnavailableError) return []; // what was acknowledged stays so
    throw error;
  }
}
