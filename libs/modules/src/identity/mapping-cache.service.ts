import { CacheService } from '@bff/infra/cache/cache.service';
import type { Fetcher } from '@bff/infra/cache/cache.types';
import type { Dependency } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { changeDriven } from '@bff/infra/cache/strategies';
import { Pseudonyms } from '@bff/infra/callers/pseudonyms';
import { Injectable } from '@nestjs/common';
import type { AccountMapping } from './identity.types.js';

/**
 * The account that a user acts for (`mapping:userId:<pseudonym>`), kept until Salesforce announces a change of an
 * account. It decides whose data is shown, so its age is bounded like that of every change-driven entry while no
 * process follows the events (`SF_STREAM_LOST_MAX_AGE_SECONDS`), and in the store it is encrypted for its key: who can
 * write there cannot make one user another. A user id may be an e-mail address, so the key names a pseudonym. The
 * answer that a user has none is kept for ten seconds, and dropped with the event of the account that names the user:
 * support links users while they wait.
 */
@Injectable()
export class MappingCacheService extends DomainCache {
  private readonly byUser = this.bucket<AccountMapping | null, [pseudonym: string]>('userId', {
    strategy: changeDriven({ toldBy: 'Account' }),
    negativeTtlSeconds: 10,
    sensitive: true,
  });

  constructor(
    cache: CacheService,
    private readonly pseudonyms: Pseudonyms,
  ) {
    super('mapping', cache);
  }

  get(userId: string, fetcher: Fetcher<AccountMapping | null>): Promise<AccountMapping | null> {
    return this.byUser.get([this.nameOf(userId)], fetcher);
  }

  /**
   * The dependency on one user's mapping, the same in every process with the same `PSEUDONYM_KEY`: for a caller that
   * knows that an account has started to name the user. Undefined for text that cannot be the subject of a token ("255
   * ASCII characters": OpenID Connect Core, section 2) and so has no entry.
   */
  userMapping(userId: string): Dependency | undefined {
    return /^[\x21-\x7E]{1,255}$/.test(userId) ? this.byUser.entry([this.nameOf(userId)]) : undefined;
  }

  private nameOf(userId: string): string {
    return this.pseudonyms.of('subject', userId);
  }
}
