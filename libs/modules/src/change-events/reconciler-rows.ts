import { SalesforceError } from '@bff/integrations/salesforce/salesforce.errors';
import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import type { QueryOptions, SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { soql, type Soql } from '@bff/integrations/salesforce/soql';
import { z } from 'zod';

/** A row that changed, as it is now. Times are the org's, in milliseconds that are whole seconds. */
export interface ChangedRow {
  readonly id: string;
  readonly isDeleted: boolean;
  readonly createdAt: number;
  readonly modifiedAt: number;
}

const TIME = z.string().transform((text, context) => {
  const at = Date.parse(text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));
  if (Number.isFinite(at)) return at;
  context.addIssue({ code: 'custom', message: 'expected a date-time' });
  return z.NEVER;
});
const ROW = z.object({ Id: z.string(), IsDeleted: z.boolean(), CreatedDate: TIME, SystemModstamp: TIME });

type Org = Pick<SalesforceClient, 'query'>;

/**
 * The rows of the object that have changed after `since`, those in the recycle bin too, the longest unchanged first, at most
 * `limit`. Rejects with `SalesforceError`, also for an object without `SystemModstamp`.
 */
export async function rowsChangedSince(
  org: Org,
  object: string,
  { since, limit }: { readonly since: number; readonly limit: number },
  options: QueryOptions,
): Promise<ChangedRow[]> {
  const condition = soql`WHERE SystemModstamp > ${new Date(since)} ORDER BY SystemModstamp, Id LIMIT ${limit}`;
  return rows(await org.query(select(object, condition), { ...options, includeDeleted: true }), object);
}

/** When the object's newest change was, by the org's clock; 0 if it has no rows. */
export async function newestChange(org: Org, object: string, options: QueryOptions): Promise<number> {
  const newest = select(object, soql`ORDER BY SystemModstamp DESC LIMIT 1`);
  return rows(await org.query(newest, { ...options, includeDeleted: true }), object)[0]?.modifiedAt ?? 0;
}

/** The name stands in the query as it is, which the tag refuses for values; so it may only be a name. */
function select(object: string, rest: Soql): Soql {
  if (!/^[A-Za-z]\w{0,79}$/.test(object)) {
    throw new SalesforceError('SALESFORCE_BAD_REQUEST', `${JSON.stringify(object.slice(0, 80))} is no object name`);
  }
  return { text: `SELECT Id, IsDeleted, CreatedDate, SystemModstamp FROM ${object} ${rest.text}` };
}

function rows(records: readonly unknown[], object: string): ChangedRow[] {
  const parsed = z.array(ROW).safeParse(records);
  if (!parsed.success) {
    throw new SalesforceError('SALESFORCE_UNAVAILABLE', `a row of ${object} has an unexpected form`, undefined, {
      cause: parsed.error,
    });
  }
  return parsed.data.map(({ Id, IsDeleted, CreatedDate, SystemModstamp }) => ({
    id: toSalesforceId(Id),
    isDeleted: IsDeleted,
    createdAt: CreatedDate,
    modifiedAt: SystemModstamp,
  }));
}
