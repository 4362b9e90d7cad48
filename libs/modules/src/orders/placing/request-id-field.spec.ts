import { runForCaller } from '@bff/infra/callers/caller';
import { ofAccount } from '@bff/infra/sources/sources.errors';
import { SalesforceError } from '@bff/integrations/salesforce/salesforce.errors';
import type { FieldTraits, SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { loadConfig } from '../../config/load-config.js';
import { RequestIdField } from './request-id-field.js';

let warnings: string[];
beforeEach(() => {
  jest.useFakeTimers();
  warnings = [];
  const ignore = (): void => undefined;
  Logger.overrideLogger({ log: ignore, error: ignore, warn: (text: string) => void warnings.push(text) });
});
afterEach(() => {
  Logger.overrideLogger(['error']);
  jest.useRealTimers();
});

/** The field of an org that answers with these traits, one after the other, the last one from then on. */
function fieldOf(...answers: (FieldTraits | undefined)[]) {
  let asked = 0;
  const salesforce = {
    field: () => Promise.resolve(answers[Math.min(asked++, answers.length - 1)]),
  } as unknown as SalesforceClient;
  return { field: new RequestIdField(salesforce, loadConfig({})), asked: () => asked };
}

const GOOD = { createable: true, unique: true };

describe('[C3] the field for the request of an order', () => {
  it('is looked for once, however many ask', async () => {
    const { field, asked } = fieldOf(GOOD);
    const names = await Promise.all([field.name(), field.name()]);
    expect([...names, await field.name(), asked()]).toEqual([...Array(3).fill('Portal_Request_Id__c'), 1]);
    expect(warnings).toEqual([]);
  });

  it.each([
    [undefined, 'Order has no field Portal_Request_Id__c that our user may see'],
    [{ createable: true, unique: false }, 'Order.Portal_Request_Id__c is not unique'],
    [{ createable: false, unique: true }, 'our user may not write Order.Portal_Request_Id__c'],
  ])('that is %j is none, which the log says once', async (traits, text) => {
    const { field, asked } = fieldOf(traits);
    expect([await field.name(), await field.name(), asked()]).toEqual([undefined, undefined, 1]);
    await jest.advanceTimersByTimeAsync(600_000);
    expect([await field.name(), asked()]).toEqual([undefined, 2]);
    expect(warnings).toEqual([expect.stringContaining(text)]);
  });

  it('is found without a restart when the org gets it, and looked for anew when the org has refused it', async () => {
    const { field, asked } = fieldOf(undefined, GOOD, undefined);
    await field.name();
    await jest.advanceTimersByTimeAsync(600_000);
    expect([await field.name(), asked()]).toEqual(['Portal_Request_Id__c', 2]);
    field.forget();
    expect([await field.name(), asked()]).toEqual([undefined, 3]);
  });

  it('is asked for again by those whom a refused question of another account does not concern', async () => {
    const refusals: ((error: Error) => void)[] = [];
    const salesforce = {
      field: () =>
        refusals.length < 2
          ? new Promise((_, reject) => void refusals.push(reject))
          : Promise.reject(new SalesforceError('SALESFORCE_UNAVAILABLE', 'it is away')),
    } as unknown as SalesforceClient;
    const field = new RequestIdField(salesforce, loadConfig({}));
    const codeFor = (account: string) =>
      runForCaller({ subject: account, account, isWriting: true }, () =>
        field.name().catch((error: { code?: unknown }) => error.code),
      );
    const refusalOf = (account: string) =>
      ofAccount(new SalesforceError('SALESFORCE_OVERLOADED', 'too many wait'), {
        subject: 's',
        account,
        isWriting: true,
      });
    const asked = ['greedy', 'modest', 'third', 'greedy'].map(codeFor);
    refusals[0]?.(refusalOf('greedy'));
    await jest.advanceTimersByTimeAsync(0);
    refusals[1]?.(refusalOf('modest'));
    expect(await Promise.all(asked)).toEqual([
      'SALESFORCE_OVERLOADED',
      'SALESFORCE_OVERLOADED',
      'SALESFORCE_UNAVAILABLE',
      'SALESFORCE_OVERLOADED',
    ]);
    expect(refusals).toHaveLength(2);
  });
});
