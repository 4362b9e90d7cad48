import { CacheService } from '@bff/infra/cache/cache.service';
import type { Fetcher, Invalidation } from '@bff/infra/cache/cache.types';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { ttl } from '@bff/infra/cache/strategies';
import { Injectable } from '@nestjs/common';
import type { AccountMapping } from './identity.types.js';

/**
 * Which account a user acts for (`mapping:userId:<id>`), for an hour, and until that account changes. That a user has no
 * account is not kept: support links users while they wait.
 */
@Injectable()
export class MappingCacheService extends DomainCache {
  private readonly byUser = this.bucket<AccountMapping | null>('userId', { strategy: ttl(3600), cacheNull: false });

  constructor(cache: CacheService) {
    super('mapping', cache);
  }

  get(userId: string, fetcher: Fetcher<AccountMapping | null>): Promise<AccountMapping | null> {
    return this.byUser.get([userId], fetcher);
  }

  /** For our own writes of a mapping. Resolves when acknowledged. */
  drop(userId: string): Promise<Invalidation> {
    return this.invalidate([this.byUser.entry([userId])]);
  }
}
