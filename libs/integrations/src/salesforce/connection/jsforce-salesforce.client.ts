import { bulkhead, type BulkheadPolicy, BulkheadRejectedError, TaskCancelledError } from 'cockatiel';
import { z } from 'zod';
import { compositeBody, compositeResults } from './composite.js';
import { collectRecords } from './query-pages.js';
import type { SalesforceConnection, SalesforceRequest } from './salesforce-connection.js';
import {
  type ApiUsage,
  type CompositeCall,
  type PicklistValue,
  type QueryOptions,
  SalesforceClient,
} from '../salesforce.client.js';
import { SalesforceError, toSalesforceError } from '../salesforce.errors.js';
import { toSalesforceId } from '../salesforce-id.js';
import type { Soql } from '../soql.js';

const DESCRIBE = z.object({
  fields: z.array(
    z.object({
      name: z.string(),
      picklistValues: z
        .array(z.object({ value: z.string(), label: z.string().nullish(), active: z.boolean() }))
        .nullish(),
    }),
  ),
});

/**
 * Salesforce over REST through jsforce. Every rejection is a `SalesforceError`, except that of `organizationId` if the
 * sign-in names a malformed id (`InvalidSalesforceIdError`).
 */
export class JsforceSalesforceClient extends SalesforceClient {
  private readonly slots: BulkheadPolicy;
  private isClosed = false;

  constructor(private readonly connection: SalesforceConnection) {
    super();
    this.slots = bulkhead(connection.options.concurrency, connection.options.queueMax);
  }

  async query<T>(query: Soql, { signal, includeDeleted, onRequest }: QueryOptions = {}): Promise<T[]> {
    const get = (url: string): Promise<unknown> => {
      let isTold = false;
      return this.send('query', signal, (jsforce, http) => {
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
    const answer = await this.send('composite', undefined, (jsforce, http) =>
      jsforce.requestPost('/composite', body, http),
    );
    return compositeResults(answer, calls);
  }

  async picklist(object: string, field: string): Promise<PicklistValue[]> {
    if (!/^\w{1,80}$/.test(object)) {
      throw new SalesforceError('SALESFORCE_BAD_REQUEST', `${JSON.stringify(object.slice(0, 80))} is no object name`);
    }
    const answer = await this.send('describe', undefined, (jsforce, http) =>
      jsforce.requestGet(`/sobjects/${object}/describe`, http),
    );
    const description = DESCRIBE.safeParse(answer);
    if (!description.success) {
      throw new SalesforceError('SALESFORCE_UNAVAILABLE', `describe of ${object} has an unexpected form`, undefined, {
        cause: description.error,
      });
    }
    const described = description.data.fields.find(({ name }) => name === field);
    if (described === undefined) {
      throw new SalesforceError('SALESFORCE_NOT_FOUND', `${object} has no field ${JSON.stringify(field.slice(0, 80))}`);
    }
    return (described.picklistValues ?? []).map(({ value, label, active }) => ({
      value,
      label: label ?? value,
      active,
    }));
  }

  async organizationId(): Promise<string> {
    return toSalesforceId(await this.connection.organizationId());
  }

  apiUsage(): ApiUsage | undefined {
    return this.connection.apiUsage();
  }

  /**
   * Refuses new requests from now on, also those for further pages of a query under way; requests under way end by
   * themselves, within their time-out.
   */
  close(): void {
    this.isClosed = true;
  }

  /** Waits for a free slot, sends one request within the time-out, and translates its failure. */
  private async send(
    operation: string,
    signal: AbortSignal | undefined,
    request: SalesforceRequest<unknown>,
  ): Promise<unknown> {
    if (this.isClosed) throw new SalesforceError('SALESFORCE_CLOSED', `${operation}: the Salesforce client is closed`);
    if (signal?.aborted) throw aborted(operation, signal);
    try {
      const answer = this.slots.execute(() => this.connection.request(request, signal), signal);
      return await (signal === undefined ? answer : untilAborted(answer, signal, operation));
    } catch (error) {
      throw this.translate(error, operation);
    }
  }

  private translate(error: unknown, operation: string): SalesforceError {
    if (error instanceof BulkheadRejectedError) {
      const { concurrency, queueMax } = this.connection.options;
      const detail = `${concurrency} requests are under way and ${queueMax} are waiting`;
      return new SalesforceError('SALESFORCE_OVERLOADED', `${operation} was refused: ${detail}`, undefined, {
        cause: error,
      });
    }
    if (error instanceof TaskCancelledError) {
      return new SalesforceError('SALESFORCE_ABORTED', `${operation} was given up by its caller`, undefined, {
        cause: error,
      });
    }
    return toSalesforceError(error, operation);
  }
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
