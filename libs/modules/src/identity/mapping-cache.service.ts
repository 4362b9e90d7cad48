import { CacheService } from '@bff/infra/cache/cache.service';
import type { Fetcher } from '@bff/infra/cache/cache.types';
import type { Dependency } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { changeDriven } from '@bff/infra/cache/strategies';
import { Injectable } from '@nestjs/common';
import type { AccountMapping } from './identity.types.js';

/**
 * Which account a user acts for (`mapping:userId:<id>`), until Salesforce says that an account changed; while nobody listens
 * for that, no longer than every change-driven entry (`SF_STREAM_LOST_MAX_AGE_SECONDS`), for it decides whose data is shown.
 * That a user has no account is not kept: support links users while they wait.
 */
@Injectable()
export class MappingCacheService extends DomainCache {
  private readonly byUser = this.bucket<AccountMapping | null>('userId', {
    strategy: changeDriven({ toldBy: 'Account' }),
    cacheNull: false,
  });

  constructor(cache: CacheService) {
    super('mapping', cache);
  }

  get(userId: string, fetcher: Fetcher<AccountMapping | null>): Promise<AccountMapping | null> {
    return this.byUser.get([userId], fetcher);
  }

  /**
   * Names the mapping of one user, for those who know that an account has come to name it; undefined for text that is the
   * subject of no token ("255 ASCII characters": OpenID Connect Core, section 2), which has no entry.
   */
  userMapping(userId: string): Dependency | undefined {
    return /^[\x21-\x7E]{1,255}$/.test(userId) ? this.byUser.entry([userId]) : undefined;
  }
}
