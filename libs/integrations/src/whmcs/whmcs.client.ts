import type { CallRecord } from '@bff/infra/sources/source-calls';
import type {
  WhmcsInvoice,
  WhmcsInvoiceDetail,
  WhmcsPaymentGateway,
  WhmcsPaymentMethod,
  WhmcsService,
} from './whmcs.types.js';

/**
 * The billing system over its HTTP API (`includes/api.php`), bounded in concurrency and time. Rejects with
 * `WhmcsError`.
 */
export abstract class WhmcsClient {
  /** `GetInvoices` of a client, newest first. A row of another client refuses the whole answer, in every list. */
  abstract invoices(clientId: number): Promise<WhmcsInvoice[]>;
  /**
   * `GetInvoice`; undefined if the client has none with this id, after one call, whether or not another client has it.
   */
  abstract invoice(clientId: number, invoiceId: number): Promise<WhmcsInvoiceDetail | undefined>;
  /** `GetClientsProducts` of a client: its subscriptions. */
  abstract services(clientId: number): Promise<WhmcsService[]>;
  /** `GetClientsProducts` of one service; undefined if the client has none with this id. */
  abstract service(clientId: number, serviceId: number): Promise<WhmcsService | undefined>;
  /** `GetPayMethods` of a client. */
  abstract paymentMethods(clientId: number): Promise<WhmcsPaymentMethod[]>;
  /** `GetPaymentMethods`: the gateways that this installation offers. */
  abstract paymentGateways(): Promise<WhmcsPaymentGateway[]>;
  /** How the calls of this process went. */
  abstract callRecord(): CallRecord;
}
