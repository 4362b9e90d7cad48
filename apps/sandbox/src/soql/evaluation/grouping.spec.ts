import { beforeAll, describe, expect, it } from '@jest/globals';
import { Org } from '../../org/org.js';
import { runQuery } from '../query-runner.js';

const DAY_MS = 86_400_000;
/** The time until noon tomorrow (UTC), in ms. At noon no test runs into another day. */
const untilNoon = (now: number): number => DAY_MS + DAY_MS / 2 - (now % DAY_MS);

describe('[D8] groups, semi-joins and dates in queries', () => {
  const org = new Org();
  let ids: string[];

  beforeAll(() => {
    const account = (Name: string, more: object = {}) => org.create('Account', { Name, ...more });
    const acme = account('Acme', { NumberOfEmployees: 10, AnnualRevenue: 0.1 });
    ids = [acme, account('Globex', { NumberOfEmployees: 30, AnnualRevenue: 0.2, ParentId: acme }), account('Initech')];
    const order = (AccountId: string | undefined, EffectiveDate: string, Status: string, Type?: string) =>
      org.create('Order', { AccountId, EffectiveDate, Status, Type });
    order(ids[0], '2026-01-01', 'Draft', 'SIM');
    order(ids[0], '2026-02-01', 'Activated');
    order(ids[1], '2026-03-01', 'Draft', 'SIM');
    org.delete('Order', order(ids[1], '2026-04-01', 'Draft', 'VPN'));
  });

  const rows = (soql: string, withDeleted = false) =>
    runQuery(org, soql, 'v67.0', withDeleted).rows.map(({ attributes: _, ...row }) => row);
  const names = (where: string) =>
    rows(`SELECT Name FROM Account WHERE ${where} ORDER BY Name`).map((row) => row['Name']);

  it('counts and works out values for each group, as AggregateResults', () => {
    const soql =
      'SELECT Status, COUNT(Id), MAX(EffectiveDate) newest, COUNT(Type) FROM Order GROUP BY Status ORDER BY Status';
    expect(runQuery(org, soql, 'v67.0', false)).toEqual({
      totalSize: 2,
      rows: [
        { attributes: { type: 'AggregateResult' }, Status: 'Activated', expr0: 1, newest: '2026-02-01', expr1: 0 },
        { attributes: { type: 'AggregateResult' }, Status: 'Draft', expr0: 2, newest: '2026-03-01', expr1: 2 },
      ],
    });
    expect(rows('SELECT Status, COUNT(Id) n FROM Order GROUP BY Status ORDER BY COUNT(Id) DESC LIMIT 1', true)).toEqual(
      [{ Status: 'Draft', n: 3 }],
    );
  });

  it('groups by a parent, and orders and filters groups by what was not selected', () => {
    expect(
      rows(
        'SELECT Account.Name, COUNT_DISTINCT(Type) FROM Order GROUP BY Account.Name ORDER BY MIN(EffectiveDate) DESC',
      ),
    ).toEqual([
      { Name: 'Globex', expr0: 1 },
      { Name: 'Acme', expr0: 1 },
    ]);
    expect(rows("SELECT Status s FROM Order GROUP BY Status HAVING COUNT(Id) > 1 AND Status != 'x'")).toEqual([
      { s: 'Draft' },
    ]);
    expect(rows('SELECT order.status FROM Order GROUP BY Status ORDER BY Order.Status')).toHaveLength(2);
    expect(rows('SELECT Type FROM Order GROUP BY Type HAVING MAX(EffectiveDate) < 2026-02-15')).toEqual([
      { Type: null },
    ]);
  });

  it('is one row without GROUP BY, even of nothing; empty values do not count', () => {
    const all =
      'SUM(NumberOfEmployees), AVG(NumberOfEmployees), MIN(Name), COUNT(NumberOfEmployees), SUM(AnnualRevenue)';
    expect(rows(`SELECT ${all} FROM Account`)).toEqual([{ expr0: 40, expr1: 20, expr2: 'Acme', expr3: 2, expr4: 0.3 }]);
    expect(rows(`SELECT ${all} FROM Account WHERE Name = 'nobody'`)).toEqual([
      { expr0: null, expr1: null, expr2: null, expr3: 0, expr4: null },
    ]);
    expect(rows("SELECT Type FROM Order WHERE Status = 'nothing' GROUP BY Type")).toEqual([]);
    const [{ newest }] = rows('SELECT MAX(CreatedDate) newest FROM Order') as [{ newest: string }];
    expect(newest).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000$/);
  });

  it('finds what another query names, and what it does not', () => {
    expect(names("Id IN (SELECT AccountId FROM Order WHERE Status = 'Activated')")).toEqual(['Acme']);
    expect(names('Id NOT IN (SELECT AccountId FROM Order)')).toEqual(['Initech']);
    expect(names("Id IN (SELECT AccountId FROM Order) AND Name LIKE 'G%'")).toEqual(['Globex']);
    expect(rows("SELECT Id FROM Order WHERE AccountId IN (SELECT Id FROM Account WHERE Name = 'Globex')")).toHaveLength(
      1,
    );
    expect(
      rows("SELECT Id FROM Order WHERE AccountId IN (SELECT Id FROM Account WHERE Name = 'Globex')", true),
    ).toHaveLength(2);
  });

  it('compares with today by the org’s clock, dates and times alike', () => {
    const own = new Org();
    own.clock.advance(untilNoon(own.clock.now()));
    const day = (offset: number) => new Date(own.clock.now() + offset * DAY_MS).toISOString().slice(0, 10);
    const AccountId = own.create('Account', { Name: 'Acme' });
    for (const offset of [-40, -1, 0, 1])
      own.create('Order', { AccountId, EffectiveDate: day(offset), Status: 'Draft' });
    const count = (where: string) =>
      runQuery(own, `SELECT COUNT() FROM Order WHERE ${where}`, 'v67.0', false).totalSize;
    const found = ['=', '!=', '<', '<=', '>', '>='].map((operator) => count(`EffectiveDate ${operator} TODAY`));
    expect(found).toEqual([1, 3, 2, 3, 1, 2]);
    expect(count('EffectiveDate = LAST_N_DAYS:1')).toBe(2);
    expect(count('CreatedDate = today')).toBe(4);
    expect([count('EndDate = TODAY'), count('EndDate != TODAY')]).toEqual([0, 4]);
    own.clock.advance(DAY_MS);
    expect([count('CreatedDate = TODAY'), count('CreatedDate = YESTERDAY')]).toEqual([0, 4]);
  });
});
