import { SalesforceError } from '@bff/integrations/salesforce/salesforce.errors';
import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import type { QueryOptions, SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { soql, type Soql } from '@bff/integrations/salesforce/soql';
import { z } from 'zod';

/** A changed row in its present state. Times are the org's, in milliseconds that are whole seconds. */
export interface ChangedRow {
  readonly id: string;
  readonly isDeleted: boolean;
  readonly createdAt: number;
  readonly modifiedAt: number;
  /** The values of the requested fields. */
  readonly fields: Readonly<Record<string, unknown>>;
}

const TIME = z.string().transform((text, context) => {
  const at = Date.parse(text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));
  if (Number.isFinite(at)) return at;
  context.addIssue({ code: 'custom', message: 'expected a date-time' });
  return z.NEVER;
});
const ROW = z
  .object({ Id: z.string(), IsDeleted: z.boolean(), CreatedDate: TIME, SystemModstamp: TIME })
  .catchall(z.unknown());

type Org = Pick<SalesforceClient, 'query'>;

/**
 * The rows of the object that have changed after `since`, including those in the recycle bin, oldest change first, at
 * most `limit`. Rejects with `SalesforceError`, also for an object without `SystemModstamp`.
 */
export async function rowsChangedSince(
  org: Org,
  object: string,
  { since, limit, fields }: { readonly since: number; readonly limit: number; readonly fields: readonly string[] },
  options: QueryOptions,
): Promise<ChangedRow[]> {
  const condition = soql`WHERE SystemModstamp > ${new Date(since)} ORDER BY SystemModstamp, Id LIMIT ${limit}`;
  const found = await org.query(select(object, fields, condition), { ...options, includeDeleted: true });
  return rows(found, object, fields);
}

/** The existing rows that have not changed after `upTo`, newest change first, at most `limit`. */
export async function rowsUnchangedSince(
  org: Org,
  object: string,
  { upTo, limit, fields }: { readonly upTo: number; readonly limit: number; readonly fields: readonly string[] },
  options: QueryOptions,
): Promise<ChangedRow[]> {
  const condition = soql`WHERE SystemModstamp <= ${new Date(upTo)} ORDER BY SystemModstamp DESC LIMIT ${limit}`;
  return rows(await org.query(select(object, fields, condition), options), object, fields);
}

/** The time of the object's newest change, by the org's clock; 0 if it has no rows. */
export async function newestChange(org: Org, object: string, options: QueryOptions): Promise<number> {
  const newest = select(object, [], soql`ORDER BY SystemModstamp DESC LIMIT 1`);
  return rows(await org.query(newest, { ...options, includeDeleted: true }), object, [])[0]?.modifiedAt ?? 0;
}

/** Inserts the names verbatim, because the `soql` tag would quote them like values; so it accepts only valid names. */
function select(object: string, fields: readonly string[], rest: Soql): Soql {
  for (const name of [object, ...fields]) {
    if (/^[A-Za-z]\w{0,79}$/.test(name)) continue;
    const kind = name === object ? 'an object' : 'a field';
    throw new SalesforceError('SALESFORCE_BAD_REQUEST', `${JSON.stringify(name.slice(0, 80))} is no name of ${kind}`);
  }
  const selected = ['Id', 'IsDeleted', 'CreatedDate', 'SystemModstamp', ...fields].join(', ');
  return { text: `SELECT ${selected} FROM ${object} ${rest.text}` };
}

function rows(records: readonly unknown[], object: string, fields: readonly string[]): ChangedRow[] {
  const parsed = z.array(ROW).safeParse(records);
  if (!parsed.success) {
    throw new SalesforceError('SALESFORCE_UNAVAILABLE', `a row of ${object} has an unexpected form`, undefined, {
      cause: parsed.error,
    });
  }
  return parsed.data.map((row) => ({
    id: toSalesforceId(row.Id),
    isDeleted: row.IsDeleted,
    createdAt: row.CreatedDate,
    modifiedAt: row.SystemModstamp,
    fields: Object.fromEntries(fields.map((field) => [field, row[field] ?? null])),
  }));
}
