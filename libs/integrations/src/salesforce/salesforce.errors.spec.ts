import { describe, expect, it } from '@jest/globals';
import { compositeResults } from './connection/composite.js';
import { SalesforceError, toSalesforceError } from './salesforce.errors.js';
import { resolveSalesforceOptions } from './salesforce.options.js';

/** An error in the form that jsforce throws. */
function apiError(errorCode: string, message = 'why'): Error {
  return Object.assign(new Error(message), { name: errorCode, errorCode });
}

describe('the translation of foreign errors', () => {
  it.each([
    ['REQUEST_LIMIT_EXCEEDED', 'SALESFORCE_LIMIT_EXCEEDED', true],
    ['SERVER_UNAVAILABLE', 'SALESFORCE_UNAVAILABLE', true],
    ['QUERY_TIMEOUT', 'SALESFORCE_TIMEOUT', true],
    ['UNABLE_TO_LOCK_ROW', 'SALESFORCE_CONFLICT', true],
    ['INVALID_SESSION_ID', 'SALESFORCE_AUTH_FAILED', false],
    ['NOT_FOUND', 'SALESFORCE_NOT_FOUND', false],
    ['MALFORMED_QUERY', 'SALESFORCE_BAD_REQUEST', false],
    ['INVALID_FIELD', 'SALESFORCE_BAD_REQUEST', false],
    ['ERROR_HTTP_503', 'SALESFORCE_UNAVAILABLE', true],
    ['ERROR_HTTP_403', 'SALESFORCE_FORBIDDEN', false],
  ])('%s is %s', (foreign, code, retryable) => {
    const cause = apiError(foreign);
    const error = toSalesforceError(cause, 'query');
    expect(error).toMatchObject({ code, retryable, salesforceCode: foreign, cause });
  });

  it('tells a broken connection from a time-out', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { name: 'FetchError', code: 'ECONNREFUSED' });
    expect(toSalesforceError(refused, 'query').code).toBe('SALESFORCE_UNAVAILABLE');
    const late = Object.assign(new Error('The user aborted a request.'), { name: 'AbortError' });
    expect(toSalesforceError(late, 'query').code).toBe('SALESFORCE_TIMEOUT');
  });

  it('[B11] keeps pages of HTML out of the message, and comparisons in', () => {
    const text = '<!DOCTYPE html><html lang="en"><body onload=x>Down</body> for Name < 5 AND Amount > 3';
    expect(new SalesforceError('SALESFORCE_UNAVAILABLE', text).message.trim().replace(/ +/g, ' ')).toBe(
      'Down for Name < 5 AND Amount > 3',
    );
  });

  it('keeps tokens out of the message', () => {
    const error = new SalesforceError(
      'SALESFORCE_BAD_REQUEST',
      'with 00Dxx0000000001!AQ.x_y and eyJhbGciOiJSUzI1NiJ9.eyJpc3Mi.c2ln',
    );
    expect(error.message).toBe('with [session] and [token]');
  });

  it.each([
    ['a session in a URL', '00Dxx0000000001EAA%21AQ.x_y'],
    ['a refresh token', `5Aep861${'T'.repeat(60)}`],
    ['credentials', 'Bearer 0123456789'],
    ['an account', '0015g00000000aBAAQ'],
    ['a name in a query', "Name = 'Alice'"],
  ])('[C7] keeps %s out of the message, at its cut, too', (_, secret) => {
    for (const before of [0, 380, 395]) {
      const { message } = new SalesforceError('SALESFORCE_BAD_REQUEST', `${'x '.repeat(before / 2)}${secret} there`);
      expect(message.length).toBeLessThanOrEqual(400);
      expect(message).not.toMatch(/00Dx|5Aep|0123|0015|Ali/);
    }
  });
});

describe('a composite answer', () => {
  const halted = [{ errorCode: 'PROCESSING_HALTED', message: 'The transaction was rolled back' }];

  it('names the call that failed by itself, not those that were rolled back with it', () => {
    const answer = {
      compositeResponse: [
        { body: halted, httpHeaders: {}, httpStatusCode: 400, referenceId: 'order' },
        {
          body: [{ errorCode: 'REQUIRED_FIELD_MISSING', message: 'Quantity' }],
          httpStatusCode: 400,
          referenceId: 'item1',
        },
        { body: halted, httpHeaders: {}, httpStatusCode: 400, referenceId: 'item2' },
      ],
    };
    const calls = ['order', 'item1', 'item2'].map((referenceId) => ({ referenceId }));
    expect(() => compositeResults(answer, calls)).toThrow(/because of call item1: REQUIRED_FIELD_MISSING: Quantity/);
  });

  it('gives the bodies in order', () => {
    const answer = {
      compositeResponse: [1, 2].map((id) => ({ body: { id }, httpStatusCode: 201, referenceId: `r${id}` })),
    };
    expect(compositeResults(answer, [{ referenceId: 'r1' }, { referenceId: 'r2' }])).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it.each([
    ['leaves a call out', ['r1']],
    ['names another call', ['r1', 'r3']],
    ['has more than was asked', ['r1', 'r2', 'r3']],
    ['is empty', []],
  ])('[B5] that %s says nothing of what was written', (_, names) => {
    const answer = {
      compositeResponse: names.map((referenceId) => ({ body: { id: '801' }, httpStatusCode: 201, referenceId })),
    };
    expect(() => compositeResults(answer, [{ referenceId: 'r1' }, { referenceId: 'r2' }])).toThrow(
      expect.objectContaining({ code: 'SALESFORCE_UNAVAILABLE' }),
    );
  });
});

describe('the options', () => {
  it('are refused with every problem named and no secret shown', () => {
    const build = (): unknown =>
      resolveSalesforceOptions({
        loginUrl: 'x',
        clientId: '',
        username: 'u',
        privateKey: 'no-key',
        apiVersion: '50.0',
        concurrency: 0,
      });
    expect(build).toThrow(/apiVersion.*loginUrl.*clientId.*privateKey.*concurrency/);
    expect(build).not.toThrow(/no-key/);
  });
});
