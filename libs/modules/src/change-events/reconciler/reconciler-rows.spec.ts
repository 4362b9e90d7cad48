import type { QueryOptions } from '@bff/integrations/salesforce/salesforce.client';
import type { Soql } from '@bff/integrations/salesforce/soql';
import { describe, expect, it } from '@jest/globals';
import { newestChange, rowsChangedSince, rowsUnchangedSince } from './reconciler-rows.js';

const AT = Date.parse('2026-11-21T10:00:00Z');
const RECORD = {
  attributes: { type: 'Order' },
  Id: '801000000000001',
  IsDeleted: true,
  CreatedDate: '2026-11-20T08:00:00.000+0000',
  SystemModstamp: '2026-11-21T10:00:00.000+0000',
};

class AnsweringOrg {
  readonly asked: { text: string; options: QueryOptions | undefined }[] = [];
  constructor(private readonly records: readonly unknown[]) {}
  query<T>({ text }: Soql, options?: QueryOptions): Promise<T[]> {
    this.asked.push({ text, options });
    return Promise.resolve(this.records as T[]);
  }
}

describe('the rows that have changed', () => {
  it('are asked for with those in the recycle bin, and told with whole ids and times', async () => {
    const org = new AnsweringOrg([RECORD]);
    const onRequest = (): void => undefined;
    expect(await rowsChangedSince(org, 'Order', { since: AT - 1_000, limit: 7, fields: [] }, { onRequest })).toEqual([
      {
        id: '801000000000001AAA',
        isDeleted: true,
        createdAt: Date.parse('2026-11-20T08:00:00Z'),
        modifiedAt: AT,
        fields: {},
      },
    ]);
    expect(org.asked).toEqual([
      {
        text: 'SELECT Id, IsDeleted, CreatedDate, SystemModstamp FROM Order WHERE SystemModstamp > 2026-11-21T09:59:59.000Z ORDER BY SystemModstamp, Id LIMIT 7',
        options: { includeDeleted: true, onRequest },
      },
    ]);
  });

  it('tell the fields that are asked for besides, emptied ones too, and no others', async () => {
    const org = new AnsweringOrg([{ ...RECORD, Family: null, Name: 'not asked for', IsActive: true }]);
    const fields = ['Family', 'IsActive'];
    const [changed] = await rowsChangedSince(org, 'Product2', { since: 0, limit: 7, fields }, {});
    const [unchanged] = await rowsUnchangedSince(org, 'Product2', { upTo: AT, limit: 9, fields }, {});
    expect(changed?.fields).toEqual({ Family: null, IsActive: true });
    expect(unchanged).toEqual(changed);
    expect(org.asked[0]?.text).toMatch(/SystemModstamp, Family, IsActive FROM Product2 WHERE SystemModstamp > /);
    expect(org.asked[1]).toEqual({
      text: 'SELECT Id, IsDeleted, CreatedDate, SystemModstamp, Family, IsActive FROM Product2 WHERE SystemModstamp <= 2026-11-21T10:00:00.000Z ORDER BY SystemModstamp DESC LIMIT 9',
      options: {},
    });
  });

  it('are not asked for with what is no field name', async () => {
    const org = new AnsweringOrg([]);
    const wanted = { since: 0, limit: 7, fields: ['Id FROM User --'] };
    await expect(rowsChangedSince(org, 'Order', wanted, {})).rejects.toMatchObject({ code: 'SALESFORCE_BAD_REQUEST' });
    expect(org.asked).toEqual([]);
  });

  it('tell the newest change by one row, or that there is none', async () => {
    const org = new AnsweringOrg([RECORD]);
    expect(await newestChange(org, 'Thing__c', {})).toBe(AT);
    expect(org.asked[0]?.text).toMatch(/FROM Thing__c ORDER BY SystemModstamp DESC LIMIT 1$/);
    expect(await newestChange(new AnsweringOrg([]), 'Order', {})).toBe(0);
  });

  it.each([{ SystemModstamp: undefined }, { SystemModstamp: 'yesterday' }, { IsDeleted: null }])(
    'are refused where they lack what is asked for (%j)',
    async (without) => {
      const org = new AnsweringOrg([{ ...RECORD, ...without }]);
      await expect(newestChange(org, 'Order', {})).rejects.toMatchObject({ code: 'SALESFORCE_UNAVAILABLE' });
    },
  );

  it('are not asked for of what is no object name', async () => {
    const org = new AnsweringOrg([]);
    await expect(newestChange(org, 'Order WHERE Id = 1', {})).rejects.toMatchObject({ code: 'SALESFORCE_BAD_REQUEST' });
    expect(org.asked).toEqual([]);
  });
});
