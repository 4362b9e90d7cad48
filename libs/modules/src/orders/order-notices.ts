import { membership, wholeTable, type Dependency } from '@bff/infra/cache/dependencies';
import { Injectable } from '@nestjs/common';
import { AppliedChangeListener, sourceOf, type AppliedChange } from '../change-events/applied-change.js';
import { usersOfAccount, type Notification } from '../notifications/notification.types.js';
import { Notifications } from '../notifications/notifications.service.js';
import { OrdersCacheService } from './orders-cache.service.js';

const TABLES: ReadonlySet<string> = new Set(['Order', 'OrderItem']);

/** These are invalidated only when the owner of the orders is unknown. */
const ANYBODYS: ReadonlySet<Dependency> = new Set(
  [...TABLES].flatMap((table) => [wholeTable(table), membership(table)]),
);

/**
 * Notifies the users of an account that its orders changed. The event of a new order names the account; the event of a
 * changed one does not, but the keys of the dropped entries do. If unnamed entries fell, or the owner is unknown, all
 * users are notified. If no entry fell, no browser shows the changed data; `OvertakenReads` covers reads that were
 * under way.
 */
@Injectable()
export class OrderNotices extends AppliedChangeListener {
  constructor(
    private readonly cache: OrdersCacheService,
    private readonly notifications: Notifications,
  ) {
    super();
  }

  async onApplied(changes: readonly AppliedChange[]): Promise<void> {
    await this.notifications.tell(changes.flatMap((change) => this.notificationsOf(change)));
  }

  private notificationsOf({ event, dependencies, keys, isWide }: AppliedChange): Notification[] {
    const source = sourceOf(event);
    const name = 'orders.changed';
    if (dependencies.some((d) => ANYBODYS.has(d))) return [{ name, audience: null, source }];
    if (event?.kind !== 'change' || !TABLES.has(event.entityName)) return [];
    if (isWide) return [{ name, audience: null, source }];
    return [...new Set(keys.map((key) => this.cache.ownerOf(key)))]
      .filter((account) => account !== undefined)
      .map((account) => ({ name, audience: usersOfAccount(account), source }));
  }
}
