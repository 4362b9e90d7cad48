import { beforeAll, describe, expect, it } from '@jest/globals';
import { SalesforceFault } from '../org/org.errors.js';
import { Org } from '../org/org.js';
import { runQuery } from './query-runner.js';

describe('SOQL', () => {
  const org = new Org();
  let acme: string;
  let globex: string;

  beforeAll(() => {
    acme = org.create('Account', {
      Name: 'Acme',
      Phone: '1',
      NumberOfEmployees: 10,
      BillingCity: 'Kyoto',
      Description: '100% sure_thing',
    });
    globex = org.create('Account', { Name: "O'Globex", NumberOfEmployees: 30, ParentId: acme });
    org.create('Account', { Name: 'initech', NumberOfEmployees: null });
    const order = (account: string, date: string, status: string): string =>
      org.create('Order', { AccountId: account, EffectiveDate: date, Status: status });
    const first = order(acme, '2026-01-01', 'Draft');
    order(acme, '2026-02-01', 'Activated');
    order(globex, '2026-03-01', 'Draft');
    const product = org.create('Product2', { Name: 'Line', ProductCode: 'L', IsActive: true });
    const entry = org.create('PricebookEntry', {
      Pricebook2Id: org.standardPricebookId,
      Product2Id: product,
      UnitPrice: 5,
    });
    for (const Quantity of [3, 1, 2])
      org.create('OrderItem', { OrderId: first, PricebookEntryId: entry, Quantity, UnitPrice: 5 });
  });

  const rows = (soql: string): Record<string, unknown>[] => [...runQuery(org, soql, 'v67.0', false).rows];
  const names = (where: string): string[] =>
    rows(`SELECT Name FROM Account WHERE ${where} ORDER BY Name`).map((row) => row['Name'] as string);
  const refusal = (soql: string): SalesforceFault => {
    try {
      runQuery(org, soql, 'v67.0', false);
    } catch (error) {
      if (error instanceof SalesforceFault) return error;
      throw error;
    }
    throw new Error(`was not refused: ${soql}`);
  };

  it.each([
    ["Name = 'ACME'", ['Acme']],
    ["Name != 'Acme'", ['initech', "O'Globex"]],
    ["Name <> 'Acme'", ['initech', "O'Globex"]],
    ["Name = 'O\\'Globex'", ["O'Globex"]],
    ["Name IN ('acme', 'Initech')", ['Acme', 'initech']],
    ["Name NOT IN ('acme', 'Initech')", ["O'Globex"]],
    ['NumberOfEmployees > 10', ["O'Globex"]],
    ['NumberOfEmployees >= 10', ['Acme', "O'Globex"]],
    ['NumberOfEmployees < 30', ['Acme']],
    ['NumberOfEmployees <= 1e1', ['Acme']],
    ['NumberOfEmployees = null', ['initech']],
    ['NumberOfEmployees != null', ['Acme', "O'Globex"]],
    ["Name LIKE 'A%'", ['Acme']],
    ["Name LIKE '%E_'", ["O'Globex"]],
    ["Description LIKE '100\\% sure\\_%'", ['Acme']],
    ["Description LIKE '100_ sure%' AND NOT Description LIKE '100\\_%'", ['Acme']],
    ["NOT Name LIKE '%e%'", []],
    ["(Name = 'Acme' OR Name = 'initech') AND NumberOfEmployees = 10", ['Acme']],
    ["NOT (Name = 'Acme' OR Name = 'initech')", ["O'Globex"]],
    ["Parent.Name = 'Acme'", ["O'Globex"]],
    ['IsDeleted = false AND CreatedDate > 2020-01-01T00:00:00Z', ['Acme', 'initech', "O'Globex"]],
    ['CreatedDate > 2120-01-01T00:00:00+09:00', []],
    ["billingcity = 'Kyoto'", ['Acme']],
  ])('finds the records where %s', (where, expected) => {
    expect(names(where)).toEqual(expected);
  });

  it('compares dates, and ids in both lengths', () => {
    expect(rows('SELECT Id FROM Order WHERE EffectiveDate >= 2026-02-01')).toHaveLength(2);
    expect(rows(`SELECT Id FROM Order WHERE AccountId = '${acme.slice(0, 15)}'`)).toHaveLength(2);
    expect(rows(`SELECT Id FROM Order WHERE AccountId IN ('${acme}', '${globex}')`)).toHaveLength(3);
  });

  it('shows fields in their own spelling, parents nested, empty parents as null, addresses whole', () => {
    expect(rows(`SELECT id, parent.name, BILLINGADDRESS FROM account WHERE Id = '${acme}'`)).toEqual([
      {
        attributes: { type: 'Account', url: `/services/data/v67.0/sobjects/Account/${acme}` },
        Id: acme,
        Parent: null,
        BillingAddress: expect.objectContaining({ city: 'Kyoto', street: null, geocodeAccuracy: null }),
      },
    ]);
    const [child] = rows(`SELECT Parent.Name, Parent.Phone, CreatedDate FROM Account WHERE Id = '${globex}'`);
    expect(child?.['Parent']).toMatchObject({ attributes: { type: 'Account' }, Name: 'Acme', Phone: '1' });
    expect(child?.['CreatedDate']).toMatch(/T\d\d:\d\d:\d\d\.000\+0000$/);
  });

  it('answers child sub-queries with their own filter, order and limit', () => {
    const [order, other] = rows(
      'SELECT Id, (SELECT Quantity, Product2.Name FROM OrderItems WHERE Quantity > 1 ORDER BY Quantity DESC LIMIT 1) FROM Order ORDER BY EffectiveDate',
    );
    expect(order?.['OrderItems']).toMatchObject({
      totalSize: 1,
      done: true,
      records: [{ Quantity: 3, Product2: { Name: 'Line' } }],
    });
    expect(other?.['OrderItems']).toBeNull();
  });

  it('orders, limits, skips and counts', () => {
    const employees = (clause: string) =>
      rows(`SELECT NumberOfEmployees FROM Account ${clause}`).map((row) => row['NumberOfEmployees']);
    expect(employees('ORDER BY NumberOfEmployees')).toEqual([null, 10, 30]);
    expect(employees('ORDER BY NumberOfEmployees DESC NULLS LAST')).toEqual([30, 10, null]);
    expect(employees('ORDER BY NumberOfEmployees ASC NULLS LAST LIMIT 1 OFFSET 1')).toEqual([30]);
    expect(employees('LIMIT 0')).toEqual([]);
    const statuses = rows('SELECT Status, EffectiveDate FROM Order ORDER BY Status DESC, EffectiveDate DESC').map(
      (row) => row['EffectiveDate'],
    );
    expect(statuses).toEqual(['2026-03-01', '2026-01-01', '2026-02-01']);
    expect(runQuery(org, "SELECT COUNT() FROM Order WHERE Status = 'Draft'", 'v67.0', false)).toEqual({
      totalSize: 2,
      rows: [],
    });
  });

  it('leaves deleted records out, unless it is asked for all', () => {
    const gone = org.create('Account', { Name: 'Gone' });
    org.delete('Account', gone);
    const soql = `SELECT Id FROM Account WHERE Id = '${gone}'`;
    expect(runQuery(org, soql, 'v67.0', false).totalSize).toBe(0);
    expect(runQuery(org, soql, 'v67.0', true).totalSize).toBe(1);
  });

  it.each([
    ['', 'unexpected end of query'],
    ['SELECT FROM Order', "unexpected token: 'Order'"],
    ['SELECT Id Order', "unexpected token: 'Order'"],
    ['SELECT Id FROM Order o', "unexpected token: 'o'"],
    ['SELECT Id FROM Order WHERE', 'unexpected end of query'],
    ["SELECT Id FROM Order WHERE Status = 'Draft' AND Type = 'VPN' OR Type = 'SIM'", "unexpected token: 'OR'"],
    ['SELECT Id FROM Order WHERE Status = Draft', "unexpected token: 'Draft'"],
    ['SELECT Id FROM Order WHERE CreatedDate = THIS_FISCAL_YEAR', "unexpected token: 'THIS_FISCAL_YEAR'"],
    ['SELECT Id FROM Order WHERE CreatedDate = LAST_N_DAYS', "expecting ':'"],
    ['SELECT Id FROM Order WHERE CreatedDate = LAST_N_DAYS:x', 'whole number'],
    ['SELECT Id FROM Order WHERE CreatedDate = TODAY:3', "unexpected token: ':'"],
    ['SELECT Id FROM Order WHERE EffectiveDate > 2026-02-30', 'there is no such date'],
    ["SELECT Id FROM Order WHERE Status = 'Draft", 'no closing quote'],
    ["SELECT Id FROM Order WHERE Status = 'a\\q'", "Illegal character sequence '\\q'"],
    ["SELECT Id FROM Order WHERE Status = 'a\\%'", 'LIKE pattern only'],
    ['SELECT Id FROM Order WHERE (Status = null', 'unexpected end of query'],
    ["SELECT Id FROM Order WHERE Id IN (SELECT OrderId FROM OrderItem) OR Status = 'x'", "with the 'OR' operator"],
    ['SELECT Id FROM Order WHERE Id IN (SELECT Id FROM Order)', 'not be on the same object type'],
    ['SELECT Id FROM Order WHERE Id IN (SELECT Product2Id FROM OrderItem)', 'point to the same object type'],
    ['SELECT Id FROM Order WHERE Status IN (SELECT OrderId FROM OrderItem)', 'takes an id or a look-up'],
    ['SELECT Id FROM Order WHERE Id IN (SELECT OrderId FROM OrderItem LIMIT 1)', "unexpected token: 'LIMIT'"],
    [
      'SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Order WHERE Id IN (SELECT OrderId FROM OrderItem))',
      'Nesting of semi join',
    ],
    [
      `SELECT Id FROM Account WHERE ${Array(3).fill('Id IN (SELECT AccountId FROM Order)').join(' AND ')}`,
      'Maximum of 2 semi join',
    ],
    ['SELECT Id FROM Order WHERE Status IN ()', "unexpected token: ')'"],
    ['SELECT Status, COUNT(Id) FROM Order', 'must be grouped or aggregated: Status'],
    ['SELECT Type FROM Order GROUP BY Status', 'must be grouped or aggregated: Type'],
    ['SELECT Status FROM Order GROUP BY Status ORDER BY Type', 'must be grouped or aggregated: Type'],
    ['SELECT Status FROM Order GROUP BY ROLLUP(Status)', "unexpected token: '('"],
    ["SELECT Status FROM Order HAVING Status = 'Draft'", "unexpected token: 'HAVING'"],
    ['SELECT Status s FROM Order', 'only aggregate expressions use field aliasing'],
    ['SELECT COUNT(Id) n, MAX(EffectiveDate) N FROM Order', 'duplicate alias: N'],
    ['SELECT COUNT(Id) FROM Order LIMIT 1', 'cannot also use LIMIT'],
    ['SELECT Id FROM Order WHERE COUNT(Id) > 1', "unexpected token: '('"],
    ['SELECT Id FROM Order ORDER BY COUNT(Id)', 'order the groups'],
    ['SELECT COUNT(Id), (SELECT Id FROM OrderItems) FROM Order', 'cannot have a sub-query'],
    ['SELECT FIELDS(ALL) FROM Order', "unexpected token: '('"],
    ['SELECT Id FROM Order LIMIT -1', "unexpected token: '-1'"],
    ['SELECT Id FROM Order LIMIT 1.5', "unexpected token: '1.5'"],
    ['SELECT Id FROM Order FOR UPDATE', "unexpected token: 'FOR'"],
    ['SELECT Id FROM Order; DELETE', "unexpected character: ';'"],
    ['SELECT Id, id FROM Order', 'duplicate field selected'],
    ['SELECT Id, (SELECT Id, (SELECT Id FROM OrderItems) FROM OrderItems) FROM Order', "unexpected token: '('"],
    ['SELECT Id FROM Order WHERE CALENDAR_YEAR(CreatedDate) = 2026', "unexpected token: '('"],
    [`SELECT Id FROM Order WHERE ${'('.repeat(200)}Status = null${')'.repeat(200)}`, 'nested deeper'],
  ])('refuses as malformed: %s', (soql, reason) => {
    const fault = refusal(soql);
    expect(fault.errorCode).toBe('MALFORMED_QUERY');
    expect(fault.message).toContain(reason);
    expect(fault.message).toMatch(/ERROR at Row:\d+:Column:\d+/);
  });

  it.each([
    ['SELECT Id, Statuss FROM Order', 'INVALID_FIELD'],
    ['SELECT Id FROM Order WHERE Statuss = null', 'INVALID_FIELD'],
    ['SELECT Id FROM Order ORDER BY Statuss', 'INVALID_FIELD'],
    ['SELECT Acount.Name FROM Order', 'INVALID_FIELD'],
    ['SELECT Account.Nme FROM Order', 'INVALID_FIELD'],
    ['SELECT Id, (SELECT Nope FROM OrderItems) FROM Order', 'INVALID_FIELD'],
    ["SELECT Id FROM Account WHERE NumberOfEmployees = '10'", 'INVALID_FIELD'],
    ['SELECT Id FROM Account WHERE Name = 10', 'INVALID_FIELD'],
    ["SELECT Id FROM Order WHERE EffectiveDate = '2026-01-01'", 'INVALID_FIELD'],
    ['SELECT Id FROM Order WHERE EffectiveDate = 2026-01-01T00:00:00Z', 'INVALID_FIELD'],
    ["SELECT Id FROM Account WHERE BillingAddress = 'x'", 'INVALID_FIELD'],
    ['SELECT Id FROM Ordr', 'INVALID_TYPE'],
    ['SELECT Account_Id__c FROM Account_Eligibility_Update__e', 'INVALID_TYPE'],
    ['SELECT Id, (SELECT Id FROM Lines) FROM Order', 'INVALID_TYPE'],
    ['SELECT SUM(Status) FROM Order', 'INVALID_FIELD'],
    ['SELECT MIN(AccountId) FROM Order', 'INVALID_FIELD'],
    ['SELECT CreatedDate FROM Order GROUP BY CreatedDate', 'INVALID_FIELD'],
    ['SELECT TotalAmount FROM Order GROUP BY TotalAmount', 'INVALID_FIELD'],
    ['SELECT Id FROM Account WHERE Name = TODAY', 'INVALID_FIELD'],
    ['SELECT Id FROM Order WHERE EffectiveDate IN (TODAY)', 'INVALID_FIELD'],
    ['SELECT Id FROM Order WHERE EffectiveDate = LAST_N_YEARS:9999', 'NUMBER_OUTSIDE_VALID_RANGE'],
    ['SELECT Id FROM Order WHERE Id IN (SELECT Id FROM Nothing__c)', 'INVALID_TYPE'],
    ["SELECT Id FROM Order WHERE AccountId = 'acme'", 'INVALID_QUERY_FILTER_OPERATOR'],
    ["SELECT Id FROM Account WHERE NumberOfEmployees LIKE '1%'", 'INVALID_QUERY_FILTER_OPERATOR'],
    ['SELECT Id FROM Account WHERE NumberOfEmployees > null', 'INVALID_QUERY_FILTER_OPERATOR'],
    ['SELECT Id FROM Order OFFSET 2001', 'NUMBER_OUTSIDE_VALID_RANGE'],
  ])('refuses %s with %s, although no record was read', (soql, code) => {
    expect(refusal(soql).errorCode).toBe(code);
  });

  it('points at the place of the mistake', () => {
    const { message } = refusal('SELECT Id\nFROM Order WHERE Nope = 1');
    expect(message).toContain('\nFROM Order WHERE Nope = 1\n                 ^\nERROR at Row:2:Column:18\n');
    expect(message).toContain("No such column 'Nope' on entity 'Order'");
  });
});
