import type { AccountMapping } from '@bff/modules/identity/identity.types';
import { BillingService } from '@bff/modules/billing/billing.service';
import type { BillingSubscription, Invoice, InvoiceSummary, PaymentMethods } from '@bff/modules/billing/billing.types';
import { Controller, Get, Param } from '@nestjs/common';
import { Account } from '../auth/account.decorator.js';
import { positiveId, valid } from '../http/validation.js';
import { problem, ProblemError } from '../problems/problem.js';

/** Invoices, subscriptions and payment methods of the caller's account. */
@Controller('api')
export class BillingController {
  constructor(private readonly billing: BillingService) {}

  @Get('invoices')
  invoices(@Account() account: AccountMapping): Promise<InvoiceSummary[]> {
    return this.billing.invoices(account.whmcsClientId);
  }

  @Get('invoices/:id')
  async invoice(@Account() account: AccountMapping, @Param('id') given: string): Promise<Invoice> {
    const invoice = await this.billing.invoice(account.whmcsClientId, valid(positiveId, given, 'id'));
    if (invoice) return invoice;
    throw new ProblemError(problem(404, 'invoice-not-found', 'No such invoice', 'This account has no such invoice.'));
  }

  @Get('subscriptions')
  subscriptions(@Account() account: AccountMapping): Promise<BillingSubscription[]> {
    return this.billing.subscriptions(account.whmcsClientId);
  }

  @Get('subscriptions/:id')
  async subscription(@Account() account: AccountMapping, @Param('id') given: string): Promise<BillingSubscription> {
    const subscription = await this.billing.subscription(account.whmcsClientId, valid(positiveId, given, 'id'));
    if (subscription) return subscription;
    const detail = 'This account has no such subscription.';
    throw new ProblemError(problem(404, 'subscription-not-found', 'No such subscription', detail));
  }

  @Get('payment-methods')
  paymentMethods(@Account() account: AccountMapping): Promise<PaymentMethods> {
    return this.billing.paymentMethods(account.whmcsClientId);
  }
}
