import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { accessToEntities } from '@bff/integrations/salesforce/events/delivery/entity-access';
import { SalesforceConnection } from '@bff/integrations/salesforce/connection/salesforce-connection';
import { json, RestDouble, type Answer } from './rest-double.js';

const ENTITIES = ['Account', 'Order', 'OrderItem', 'Product2', 'PricebookEntry'];
const NOT_FOUND = json([{ errorCode: 'NOT_FOUND', message: 'no' }], 404);

/** A complete query result. */
function result(records: readonly object[]): object {
  return { totalSize: records.length, done: true, records };
}

interface Org {
  readonly sets?: Answer;
  readonly permissions?: Readonly<Record<string, boolean>>;
  readonly described?: Answer;
}

describe('the access of the integration user', () => {
  let salesforce: RestDouble;
  beforeEach(async () => {
    salesforce = await RestDouble.start();
  });
  afterEach(() => salesforce.stop());

  async function accessIn({ sets, permissions = {}, described = NOT_FOUND }: Org): Promise<Record<string, string>> {
    const rows = Object.entries(permissions).map(([SobjectType, PermissionsViewAllRecords]) => ({
      SobjectType,
      PermissionsViewAllRecords,
    }));
    const assignment = { PermissionSetId: '0PS000000000001AAA', PermissionSet: { PermissionsViewAllData: false } };
    salesforce.answer = (exchange, response) => {
      const answer = exchange.path.includes('FROM PermissionSetAssignment')
        ? (sets ?? json(result([assignment])))
        : exchange.path.includes('FROM ObjectPermissions')
          ? json(result(rows))
          : described;
      answer(exchange, response);
    };
    const connection = new SalesforceConnection({ loginUrl: salesforce.url, clientId: 'c', clientSecret: 's' });
    return Object.fromEntries(await accessToEntities(ENTITIES, connection));
  }

  it('is what their permission sets say, in two requests; what has no permissions of its own follows what it belongs to', async () => {
    const access = await accessIn({ permissions: { Account: true, Order: false, Product2: true } });
    expect(access).toEqual({
      Account: 'granted',
      Order: 'missing',
      OrderItem: 'missing',
      Product2: 'granted',
      PricebookEntry: 'granted',
    });
    expect(salesforce.exchanges).toHaveLength(2);
  });

  it('is missing where they say nothing and the object is not there for the user, and granted where it is', async () => {
    const permissions = { Order: true, Product2: true };
    expect(await accessIn({ permissions })).toMatchObject({ Account: 'missing', Order: 'granted' });
    expect(await accessIn({ permissions, described: json({ queryable: true }) })).toMatchObject({ Account: 'granted' });
  });

  it('is everything with View All Data, in one request', async () => {
    const assignment = { PermissionSetId: '0PS000000000001AAA', PermissionSet: { PermissionsViewAllData: true } };
    const access = await accessIn({ sets: json(result([assignment])) });
    expect(new Set(Object.values(access))).toEqual(new Set(['granted']));
    expect(salesforce.exchanges).toHaveLength(1);
  });

  it('[B5] is unknown where Salesforce answers a part of the permission sets', async () => {
    const sets = json({ totalSize: 2, done: true, records: [{ PermissionSetId: '0PS000000000001AAA' }] });
    expect(new Set(Object.values(await accessIn({ sets })))).toEqual(new Set(['unknown']));
  });

  it('is what describe says where they are hidden from the user', async () => {
    const sets = json([{ errorCode: 'INVALID_TYPE', message: 'sObject type is not supported' }], 400);
    expect(new Set(Object.values(await accessIn({ sets })))).toEqual(new Set(['missing']));
    const access = await accessIn({ sets, described: json({ queryable: true }) });
    expect(new Set(Object.values(access))).toEqual(new Set(['granted']));
  });

  it('is unknown, and not granted, while Salesforce does not answer', async () => {
    const sets = json([{ errorCode: 'REQUEST_LIMIT_EXCEEDED', message: 'TotalRequests Limit exceeded.' }], 403);
    const access = await accessIn({ sets, described: json({ queryable: true }) });
    expect(new Set(Object.values(access))).toEqual(new Set(['unknown']));
  });
});
