import {
  BuildFailedError,
  FetchTimeoutError,
  NotAcknowledgedError,
  WaitTimeoutError,
} from '@bff/infra/cache/cache.errors';
import { IdempotencyUnavailableError } from '@bff/infra/idempotency/idempotency.errors';
import { NoncesUnavailableError } from '@bff/infra/nonces/nonces';
import { RateLimitedError } from '@bff/infra/limits/limits.errors';
import { SalesforceError } from '@bff/integrations/salesforce/salesforce.errors';
import { WhmcsError } from '@bff/integrations/whmcs/whmcs.errors';
import { BillingNotLinkedError } from '@bff/modules/billing/billing.errors';
import { OrderRefusedError } from '@bff/modules/orders/orders.errors';
import { describe, expect, it } from '@jest/globals';
import { HttpException, InternalServerErrorException, NotFoundException } from '@nestjs/common';
import { problemOfError } from './problem-of-error.js';

const SECRET = 'at https://secret.example';

describe('the problem of an error', () => {
  it.each([
    [new SalesforceError('SALESFORCE_TIMEOUT', SECRET), 504, undefined],
    [new SalesforceError('SALESFORCE_UNAVAILABLE', SECRET), 503, 5],
    [new SalesforceError('SALESFORCE_LIMIT_EXCEEDED', SECRET), 503, 60],
    [new SalesforceError('SALESFORCE_QUOTA_RESERVED', SECRET), 503, 300],
    [new BuildFailedError('SALESFORCE_QUOTA_RESERVED', SECRET), 503, 300],
    [new SalesforceError('SALESFORCE_BAD_REQUEST', SECRET), 502, undefined],
    [new SalesforceError('SALESFORCE_AUTH_FAILED', SECRET), 502, undefined],
    [new WhmcsError('WHMCS_TIMEOUT', SECRET), 504, undefined],
    [new WhmcsError('WHMCS_INVALID_ANSWER', SECRET), 502, undefined],
    [new WaitTimeoutError(SECRET, 10), 504, undefined],
    [new NotAcknowledgedError(SECRET), 503, 2],
    [new IdempotencyUnavailableError(SECRET), 503, 2],
    [new BuildFailedError('SALESFORCE_TIMEOUT', SECRET), 504, undefined],
    [new FetchTimeoutError('orders:account:1', 10), 504, undefined],
    [new BuildFailedError('CACHE_FETCH_TIMEOUT', SECRET), 504, undefined],
    [new NoncesUnavailableError(SECRET), 503, 2],
    // A fetcher's error without a code is a defect, in whichever process the fetch was made.
    [new BuildFailedError(undefined, SECRET), 500, undefined],
    [new RateLimitedError('fetch', 17, SECRET), 429, 17],
    [new InternalServerErrorException(SECRET), 500, undefined],
    [new Error(SECRET), 500, undefined],
    [Object.assign(new Error(SECRET), { code: 'ECONNRESET' }), 500, undefined],
    [SECRET, 500, undefined],
    [undefined, 500, undefined],
  ])('%p has its own status and none of its words', (error, status, retryAfterSeconds) => {
    const found = problemOfError(error);
    expect(found).toMatchObject({ status, type: expect.stringMatching(/^urn:evergreen:problem:/) });
    expect(found.retryAfterSeconds).toBe(retryAfterSeconds);
    expect(JSON.stringify(found)).not.toContain('secret');
  });

  it('[N10] [C2] of a source at its limit, or spared, does not speak of requests that wait', () => {
    const details = (['SALESFORCE_OVERLOADED', 'SALESFORCE_LIMIT_EXCEEDED', 'SALESFORCE_QUOTA_RESERVED'] as const).map(
      (code) => problemOfError(new SalesforceError(code, SECRET)).detail,
    );
    expect(details).toEqual([
      expect.stringContaining('Too many requests are waiting'),
      expect.stringContaining('has answered as many requests as it allows'),
      expect.stringContaining('kept for orders, and for customers who have asked for less'),
    ]);
    expect(details.slice(1).join()).not.toContain('waiting');
  });

  it('[C2] of a used up limit names it, and when to come back', () => {
    expect(problemOfError(new RateLimitedError('write', 17, SECRET))).toEqual({
      type: 'urn:evergreen:problem:rate-limited',
      title: 'Too many requests',
      status: 429,
      detail: 'Your account has made as many changes as one account may. Try again in 17 seconds.',
      code: 'RATE_LIMITED',
      'violated-policies': ['write'],
      retryAfterSeconds: 17,
    });
  });

  it('[C3] of an order whose key cannot be looked up is about the order, and says to send the same key', () => {
    expect(problemOfError(new IdempotencyUnavailableError(SECRET))).toMatchObject({
      type: 'urn:evergreen:problem:idempotency-unavailable',
      title: 'The order cannot be placed now',
      detail: expect.stringMatching(/this request placed nothing.*the same Idempotency-Key/),
      code: 'IDEMPOTENCY_UNAVAILABLE',
    });
  });

  it('of a webhook that cannot be looked up is about the message, and says to send it again', () => {
    expect(problemOfError(new NoncesUnavailableError(SECRET))).toMatchObject({
      type: 'urn:evergreen:problem:webhook-unavailable',
      title: 'The message cannot be taken now',
      detail: expect.stringMatching(/nothing was done. Send the same bytes again/),
      code: 'NONCES_UNAVAILABLE',
    });
  });

  it('[C2] of data that is not loaded for one account speaks of data, not of the source', () => {
    expect(problemOfError(new RateLimitedError('fetch', 17, SECRET)).detail).toBe(
      'Your account has loaded as much new data as one account may for now. Try again in 17 seconds.',
    );
    expect(problemOfError(new SalesforceError('SALESFORCE_QUOTA_RESERVED', SECRET)).title).toBe(
      'New data is limited for now',
    );
  });

  it('that speaks to the customer has its words', () => {
    expect(problemOfError(new BillingNotLinkedError())).toMatchObject({
      status: 409,
      code: 'BILLING_NOT_LINKED',
      detail: expect.stringContaining('ask support'),
    });
  });

  it('of an order that Salesforce refused keeps its code, and says what to do', () => {
    expect(problemOfError(new OrderRefusedError('FIELD_CUSTOM_VALIDATION_EXCEPTION'))).toMatchObject({
      status: 422,
      code: 'ORDER_REFUSED',
      detail: 'the order was refused: FIELD_CUSTOM_VALIDATION_EXCEPTION; contact support and quote the request id',
    });
  });

  it('of the caller’s making says what to change', () => {
    expect(problemOfError(new NotFoundException('Cannot GET /x')).detail).toBe('There is nothing at this address.');
    expect(problemOfError(new HttpException('too large', 413))).toMatchObject({
      status: 413,
      title: 'Payload Too Large',
    });
  });
});
