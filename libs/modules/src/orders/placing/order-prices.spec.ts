import type { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { describe, expect, it } from '@jest/globals';
import { deferred, type Deferred } from '../../../../../test/support/deferred.js';
import { OrderPrices, type PriceRow } from './order-prices.js';

const [ALICE, BOB] = [toSalesforceId('001000000000001'), toSalesforceId('001000000000002')];
const [FIBRE, ESIM] = [toSalesforceId('01t000000000001'), toSalesforceId('01t000000000002')];

function prices() {
  const asked: Deferred<PriceRow[]>[] = [];
  const query = () => {
    asked.push(deferred());
    return asked.at(-1)?.promise;
  };
  return { asked, sut: new OrderPrices({ query } as unknown as SalesforceClient) };
}

const rows = (amount: number) =>
  [FIBRE, ESIM].map((id) => ({ Product2Id: id, UnitPrice: amount }) as unknown as PriceRow);
const amounts = async (answers: readonly Promise<ReadonlyMap<string, PriceRow>>[]) =>
  (await Promise.all(answers)).map((found) => found.get(FIBRE)?.UnitPrice);
/** Lets all go on that can. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('[C2] the prices of orders', () => {
  it('cost two queries however many orders for the same products come together', async () => {
    const { asked, sut } = prices();
    const answers = Array.from({ length: 20 }, (_, n) => sut.of(ALICE, n % 2 ? [FIBRE, ESIM] : [ESIM, FIBRE]));
    await turn();
    expect(asked).toHaveLength(1);
    asked[0]?.resolve(rows(1));
    await turn();
    expect(asked).toHaveLength(2);
    asked[1]?.resolve(rows(2));
    expect(await amounts(answers)).toEqual([1, ...Array.from({ length: 19 }, () => 2)]);
    const later = sut.of(ALICE, [FIBRE, ESIM]);
    expect(asked).toHaveLength(3);
    asked[2]?.resolve(rows(3));
    expect(await amounts([later])).toEqual([3]);
  });

  it('are never those of a query that began before they were asked for', async () => {
    const { asked, sut } = prices();
    const first = sut.of(ALICE, [FIBRE]);
    const second = sut.of(ALICE, [FIBRE]);
    asked[0]?.resolve(rows(1));
    await turn();
    const third = sut.of(ALICE, [FIBRE]); // while the query for the second is under way
    asked[1]?.resolve(rows(2));
    await turn();
    asked[2]?.resolve(rows(3));
    expect(await amounts([first, second, third])).toEqual([1, 2, 3]);
  });

  it('are asked for by each account, and for other products, at once', () => {
    const { asked, sut } = prices();
    void sut.of(ALICE, [FIBRE]);
    void sut.of(ALICE, [ESIM]);
    void sut.of(BOB, [FIBRE]);
    expect(asked).toHaveLength(3);
  });

  it('are asked for again after a failure, and missing for those alone whose answer lacks them', async () => {
    const { asked, sut } = prices();
    const [failed, missing] = [sut.of(ALICE, [FIBRE]), sut.of(ALICE, [FIBRE])].map((each) =>
      each.then(
        () => 'priced',
        (error: Error) => error.name,
      ),
    );
    asked[0]?.reject(new Error('no answer'));
    await turn();
    asked[1]?.resolve([]);
    expect([await failed, await missing]).toEqual(['Error', 'ProductNotSoldError']);
    const found = sut.of(ALICE, [FIBRE]);
    asked[2]?.resolve(rows(1));
    expect(await amounts([found])).toEqual([1]);
  });
});
