import { APP_CONFIG } from '@bff/infra/config/application-config';
import { isCallerError } from '@bff/infra/cache/cache.errors';
import { currentCaller } from '@bff/infra/callers/caller';
import { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { AppConfig } from '../../config/app-config.js';

/** A missing field is looked for again after this time, so that an org that gets it needs no restart. */
const LOOK_AGAIN_MS = 600_000;

/**
 * The field of Order that holds the id of the portal's request, by which the org refuses a second order for one
 * idempotency key. An org may not have it, or not as a unique one.
 */
@Injectable()
export class RequestIdField {
  private readonly logger = new Logger(RequestIdField.name);
  private readonly configured: string | undefined;
  private isUsable = false;
  private lookAgainAt = -Infinity;
  private looking: Promise<void> | undefined;

  constructor(
    private readonly salesforce: SalesforceClient,
    @Inject(APP_CONFIG) { orders }: Pick<AppConfig, 'orders'>,
  ) {
    this.configured = orders.requestIdField;
  }

  /**
   * The name of the field; undefined if none is configured, or the org has none that can be used. Asks the org once,
   * and again after `forget` and, while there is none, at most every ten minutes; rejects with `SalesforceError` if it
   * does not answer. Callers share a question, but not the refusal of one of them: then the others ask again.
   */
  async name(): Promise<string | undefined> {
    if (this.configured === undefined) return undefined;
    while (!this.isUsable && performance.now() >= this.lookAgainAt) {
      const isOwn = this.looking === undefined;
      this.looking ??= this.look(this.configured).finally(() => (this.looking = undefined));
      try {
        await this.looking;
        break;
      } catch (error) {
        if (isOwn || !isCallerError(error) || error.concerns(currentCaller())) throw error;
      }
    }
    return this.isUsable ? this.configured : undefined;
  }

  /** The org has refused the field: it has been taken away, or hidden from our user, since it was looked at. */
  forget(): void {
    this.isUsable = false;
    this.lookAgainAt = -Infinity;
  }

  private async look(name: string): Promise<void> {
    const field = await this.salesforce.field('Order', name);
    this.isUsable = field?.createable === true && field.unique;
    if (this.isUsable) return;
    const isFirst = this.lookAgainAt === -Infinity;
    this.lookAgainAt = performance.now() + LOOK_AGAIN_MS;
    if (isFirst) this.logger.warn(`${problemOf(name, field)}: ${CONSEQUENCE}`);
  }
}

const CONSEQUENCE =
  'a repeated order is recognised by our own store alone, not by Salesforce; see docs/how-to/connect-an-org.md';

function problemOf(name: string, field: { readonly createable: boolean } | undefined): string {
  if (field === undefined) return `Order has no field ${name} that our user may see`;
  return field.createable ? `Order.${name} is not unique` : `our user may not write Order.${name}`;
}
