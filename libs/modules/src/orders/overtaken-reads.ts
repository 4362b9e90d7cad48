import type { SalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { usersOfAccount } from '../notifications/notification.types.js';
import { Notifications } from '../notifications/notifications.service.js';

const ACCOUNTS_MAX = 10_000;
/** The second time in a row is told after this, every further one after twice as long as the one before. */
const REST_MS = 1_000;
const REST_MS_MAX = 60_000;

interface Rest {
  readonly times: number;
  readonly timer: NodeJS.Timeout | undefined;
}

/**
 * Makes good for changes that nobody is told of: one that happens while the orders are being fetched drops no entry that
 * would name their account, and whoever waited for the fetch may have been given what was true before. Such a fetch does not
 * become an entry, and that is what shows it. Reads that are never kept, for whatever reason, are told of at ever longer
 * intervals, because being told makes browsers read.
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

  /** Tells the account's users to read again, now or after a rest, if what was fetched for them is no entry. Never rejects. */
  async look(account: SalesforceId, isKept: () => Promise<boolean>): Promise<void> {
    try {
      if (await isKept()) {
        this.rests.delete(account);
        return;
      }
    } catch {
      return; // the store is away: whoever reads is answered by the source, and told to read again when it is back
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
