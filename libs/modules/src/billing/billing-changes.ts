import { Injectable } from '@nestjs/common';
import { usersOfClient } from '../notifications/notification.types.js';
import { Notifications } from '../notifications/notifications.service.js';
import { WhmcsCacheService } from './whmcs-cache.service.js';

/** A change that WHMCS announced. */
export type BillingChange =
  | { readonly event: 'invoice.changed'; readonly clientId: number; readonly invoiceId: number }
  | { readonly event: 'service.changed'; readonly clientId: number; readonly serviceId: number }
  | { readonly event: 'payment-methods.changed'; readonly clientId: number }
  | { readonly event: 'client.changed'; readonly clientId: number };

/** Applies the changes that WHMCS announces: drops what they have made wrong, then notifies the client's users. */
@Injectable()
export class BillingChanges {
  constructor(
    private readonly cache: WhmcsCacheService,
    private readonly notifications: Notifications,
  ) {}

  /**
   * Resolves when no read can return the old data, lists included, and the client's users have been notified (while the
   * notice board is away, they are notified later). Rejects with a `CacheError` if the former is not certain; then the
   * caller must repeat it. `source` names this announcement.
   */
  async apply(change: BillingChange, source: string): Promise<void> {
    await this.drop(change);
    const audience = usersOfClient(change.clientId);
    await this.notifications.tell([{ name: 'billing.changed', audience, source }]);
  }

  private drop(change: BillingChange): Promise<unknown> {
    switch (change.event) {
      case 'invoice.changed':
        return this.cache.dropInvoice(change.invoiceId, change.clientId);
      case 'service.changed':
        return this.cache.dropSubscription(change.serviceId, change.clientId);
      case 'payment-methods.changed':
        return this.cache.dropPaymentMethods(change.clientId);
      case 'client.changed':
        return this.cache.dropClient(change.clientId);
    }
  }
}
