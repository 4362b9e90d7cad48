import type { SalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { usersOfAccount } from '../notifications/notification.types.js';
import { Notifications } from '../notifications/notifications.service.js';

const ACCOUNTS_MAX = 10_000;
/** Wait before the second notice in a row; it doubles with every further one. */
const REST_MS = 1_000;
const REST_MS_MAX = 60_000;

interface Rest {
  readonly times: number;
  readonly timer: NodeJS.Timeout | undefined;
}

/**
 * Covers changes that cause no notice: a change during a fetch of orders drops no entry that would name their account,
 * and waiters of that fetch may have received the old data. Such a fetch does not become an entry, which reveals the
 * change. For reads that are never kept, for any reason, the notices come at ever longer intervals, because each notice
 * makes browsers read.
 */
@Injectable()
export class OvertakenReads implements OnApplicationShutdown {
  private readonly rests = new LRUCache<SalesforceId, Rest>({
    max: ACCOUNTS_MAX,
    dispose: ({ timer }, _, reason) => {
      if (reason === 'evict') clearTimeout(timer);
    },
  });

  constructor(private readonly notifications: Notifications) {}

  /**
   * Notifies the account's users to read again, now or later, if the fetched value is not an entry; does nothing while
   * the store is away. Never rejects.
   */
  async look(account: SalesforceId, isKept: () => Promise<boolean>): Promise<void> {
    try {
      if (await isKept()) {
        this.rests.delete(account);
        return;
      }
    } catch {
      return; // the store is away: the source answers reads, and browsers receive a notice when it is back
    }
    const { times, timer } = this.rests.get(account) ?? { times: 0, timer: undefined };
    if (timer) return;
    const ms = times === 0 ? 0 : Math.min(REST_MS_MAX, REST_MS * 2 ** (times - 1));
    const later = setTimeout(() => {
      this.rests.set(account, { times: times + 1, timer: undefined });
      void this.notifications.tell([{ name: 'orders.changed', audience: usersOfAccount(account) }]);
    }, ms).unref();
    this.rests.set(account, { times, timer: later });
  }

  onApplicationShutdown(): void {
    for (const { timer } of this.rests.values()) clearTimeout(timer);
    this.rests.clear();
  }
}
