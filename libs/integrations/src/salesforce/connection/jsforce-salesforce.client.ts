import type { RequestKind } from '@bff/infra/process/fair-queue';
import { currentCaller } from '@bff/infra/callers/caller';
import { QueueAbortedError, QueueFullError } from '@bff/infra/process/fair-queue.errors';
import { QuotaReserve } from '@bff/infra/sources/quota-reserve';
import { type CallRecord, SourceCalls } from '@bff/infra/sources/source-calls';
import { type Admission, SourceGate } from '@bff/infra/sources/source-gate';
import { ofAccount, QuotaReservedError } from '@bff/infra/sources/sources.errors';
import { MemorySpendLedger } from '@bff/infra/sources/memory-spend-ledger';
import type { SpendLedger } from '@bff/infra/sources/spend-ledger';
import { z } from 'zod';
import { compositeBody, compositeResults } from './composite.js';
import { collectRecords } from './query-pages.js';
import type { SalesforceConnection, SalesforceRequest } from './salesforce-connection.js';
import {
  type ApiUsage,
  type CompositeCall,
  type FieldTraits,
  type PicklistValue,
  type QueryOptions,
  SalesforceClient,
} from '../salesforce.client.js';
import { SalesforceError, type SalesforceErrorCode, toSalesforceError, verdictOn } from '../salesforce.errors.js';
import type { Soql } from '../soql.js';

const DESCRIBE = z.object({
  fields: z.array(
    z.object({
      name: z.string(),
      createable: z.boolean().nullish(),
      unique: z.boolean().nullish(),
      picklistValues: z
        .array(z.object({ value: z.string(), label: z.string().nullish(), active: z.boolean() }))
        .nullish(),
    }),
  ),
});

type DescribedField = z.infer<typeof DESCRIBE>['fields'][number];

/** What decides, beside the options of the connection, which requests are sent. */
export interface SalesforceGateOptions {
  /**
   * Asked before each request waits for its turn; its rejection is the request's. @default every request is admitted
   */
  readonly admit?: Admission | undefined;
  /** Requests of each account today. @default what this client has sent itself */
  readonly spend?: SpendLedger | undefined;
}

/** Slots that reads leave to writes, so that an order need not wait for lists. */
const WRITE_SLOTS = 1;

/**
 * Salesforce over REST through jsforce. Every rejection is a `SalesforceError`, except that of `admit`.
 */
export class JsforceSalesforceClient extends SalesforceClient {
  private readonly gate: SourceGate;
  private readonly reserve: QuotaReserve;
  private readonly calls = new SourceCalls(verdictOn);
  private isClosed = false;

  constructor(
    private readonly connection: SalesforceConnection,
    { admit, spend = new MemorySpendLedger() }: SalesforceGateOptions = {},
  ) {
    super();
    const { concurrency, accountSharePercent, accountQueueMax, queueMax, quotaReservePercent } = connection.options;
    this.reserve = new QuotaReserve(spend, quotaReservePercent, () => connection.apiUsage());
    const limits = { slots: concurrency, writeSlots: WRITE_SLOTS, sharePercent: accountSharePercent };
    this.gate = new SourceGate({ ...limits, accountQueueMax, queueMax }, admit, this.reserve, this.calls);
  }

  async query<T>(query: Soql, { signal, includeDeleted, onRequest }: QueryOptions = {}): Promise<T[]> {
    const get = (url: string): Promise<unknown> => {
      let isTold = false;
      return this.send('query', { kind: 'read', signal }, (jsforce, http) => {
        if (!isTold) onRequest?.();
        isTold = true;
        return jsforce.requestGet(url, http);
      });
    };
    const records = await collectRecords(
      `/${includeDeleted ? 'queryAll' : 'query'}?q=${encodeURIComponent(query.text)}`,
      get,
      this.connection.options.recordCountMax,
    );
    return records as T[];
  }

  async composite(calls: readonly CompositeCall[]): Promise<unknown[]> {
    if (calls.length === 0) return [];
    const body = compositeBody(calls, this.connection.options.apiVersion);
    const kind = calls.every(({ method }) => method === 'GET') ? 'read' : 'write';
    const answer = await this.send('composite', { kind }, (jsforce, http) =>
      jsforce.requestPost('/composite', body, http),
    );
    return compositeResults(answer, calls);
  }

  async picklist(object: string, field: string): Promise<PicklistValue[]> {
    const described = await this.described(object, field);
    if (described === undefined) {
      throw new SalesforceError('SALESFORCE_NOT_FOUND', `${object} has no field ${JSON.stringify(field.slice(0, 80))}`);
    }
    return (described.picklistValues ?? []).map(({ value, label, active }) => ({
      value,
      label: label ?? value,
      active,
    }));
  }

  async field(object: string, field: string): Promise<FieldTraits | undefined> {
    const described = await this.described(object, field);
    return described && { createable: described.createable === true, unique: described.unique === true };
  }

  organizationId(): Promise<string> {
    return this.connection.organizationId();
  }

  signInRefusal(): string | undefined {
    return this.connection.signInRefusal();
  }

  apiUsage(): ApiUsage | undefined {
    return this.reserve.state;
  }

  callRecord(): CallRecord {
    return this.calls.record;
  }

  /**
   * Refuses new requests from now on, also those for further pages of a query under way; requests under way end by
   * themselves, within their time-out.
   */
  close(): void {
    this.isClosed = true;
  }

  private async described(object: string, field: string): Promise<DescribedField | undefined> {
    if (!/^\w{1,80}$/.test(object)) {
      throw new SalesforceError('SALESFORCE_BAD_REQUEST', `${JSON.stringify(object.slice(0, 80))} is no object name`);
    }
    const answer = await this.send('describe', { kind: 'read' }, (jsforce, http) =>
      jsforce.requestGet(`/sobjects/${object}/describe`, http),
    );
    const description = DESCRIBE.safeParse(answer);
    if (!description.success) {
      throw new SalesforceError('SALESFORCE_UNAVAILABLE', `describe of ${object} has an unexpected form`, undefined, {
        cause: description.error,
      });
    }
    return description.data.fields.find(({ name }) => name === field);
  }

  /** Waits for the turn of the caller's account, sends one request within the time-out, and translates its failure. */
  private async send(
    operation: string,
    { kind, signal }: { readonly kind: RequestKind; readonly signal?: AbortSignal | undefined },
    request: SalesforceRequest<unknown>,
  ): Promise<unknown> {
    if (this.isClosed) throw new SalesforceError('SALESFORCE_CLOSED', `${operation}: the Salesforce client is closed`);
    if (signal?.aborted) throw aborted(operation, signal);
    try {
      const answer = this.gate.pass({ kind, signal }, async () => {
        try {
          return await this.connection.request(request, signal);
        } catch (error) {
          throw toSalesforceError(error, operation);
        }
      });
      return await (signal === undefined ? answer : untilAborted(answer, signal, operation));
    } catch (error) {
      throw errorOfGate(error, operation);
    }
  }
}

/** The error for a request that the gate did not let through; any other error stays as it is. */
function errorOfGate(error: unknown, operation: string): unknown {
  const refused = (code: SalesforceErrorCode, text: string): SalesforceError =>
    new SalesforceError(code, `${operation} was ${text}`, undefined, { cause: error });
  const caller = currentCaller();
  if (error instanceof QueueFullError) {
    const overloaded = refused('SALESFORCE_OVERLOADED', `refused: ${error.message}`);
    return error.bound === 'account' ? ofAccount(overloaded, caller) : overloaded;
  }
  if (error instanceof QuotaReservedError)
    return ofAccount(refused('SALESFORCE_QUOTA_RESERVED', `refused: ${error.message}`), caller);
  if (error instanceof QueueAbortedError) return refused('SALESFORCE_ABORTED', 'given up by its caller');
  return error;
}

/** The caller stops waiting at once; the request ends by its answer or time-out, and keeps its slot until then. */
function untilAborted<T>(answer: Promise<T>, signal: AbortSignal, operation: string): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(aborted(operation, signal));
    signal.addEventListener('abort', onAbort, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function aborted(operation: string, signal: AbortSignal): SalesforceError {
  return new SalesforceError('SALESFORCE_ABORTED', `${operation} was given up by its caller`, undefined, {
    cause: signal.reason,
  });
}
