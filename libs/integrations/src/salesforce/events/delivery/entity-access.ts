import { z } from 'zod';
import { collectRecords } from '../../connection/query-pages.js';
import type { SalesforceConnection } from '../../connection/salesforce-connection.js';
import { toSalesforceError } from '../../salesforce.errors.js';
import { soql, type Soql } from '../../soql.js';

/** `unknown`: the question to Salesforce failed. */
export type EntityAccess = 'granted' | 'missing' | 'unknown';

/** Objects without a "View All Records" permission of their own; only an org setting governs access to them. */
const WITHOUT_OBJECT_PERMISSIONS: ReadonlySet<string> = new Set(['User', 'Task', 'Event']);

const USER_ID = z.string().regex(/^005\w{12,15}$/);
const DESCRIPTION = z.object({ queryable: z.boolean().optional() });
const ASSIGNMENTS = z.object({
  records: z.array(
    z.object({
      PermissionSetId: z.string(),
      PermissionSet: z.object({ PermissionsViewAllData: z.boolean() }).nullish(),
    }),
  ),
});
const PERMISSIONS = z.object({
  records: z.array(z.object({ SobjectType: z.string(), PermissionsViewAllRecords: z.boolean() })),
});

/** Objects that in some orgs have no permissions of their own; then those of the object named here hold for them. */
const BELONGS_TO: Readonly<Record<string, string>> = { OrderItem: 'Order', PricebookEntry: 'Product2' };

/**
 * The grants of "View All Records" in the user's permission sets, by object; objects that no set mentions are absent.
 * `all`: the user may view all data. `hidden`: the user may not read permission sets, or they have an unexpected form.
 * `unknown`: the query failed, and may succeed later.
 */
type Sets = ReadonlyMap<string, boolean> | 'all' | 'hidden' | 'unknown';

/**
 * Whether the integration user may read every record of these objects, which change events require (Change Data Capture
 * Guide, "Required Permissions for Change Event Subscribers"). Permission sets answer first, for two API requests.
 * Describe, one request per object, answers for objects that they do not mention, and for all objects if the user may
 * not read permission sets; access that describe does not deny counts as granted. Never rejects.
 */
export async function accessToEntities(
  entities: readonly string[],
  connection: SalesforceConnection,
): Promise<ReadonlyMap<string, EntityAccess>> {
  const sets = await permissionSets(entities, connection);
  const access = await Promise.all(entities.map((entity) => accessTo(entity, sets, connection)));
  return new Map(entities.map((entity, i) => [entity, access[i] as EntityAccess]));
}

async function accessTo(entity: string, sets: Sets, connection: SalesforceConnection): Promise<EntityAccess> {
  if (sets === 'unknown') return 'unknown';
  if (sets === 'hidden' || WITHOUT_OBJECT_PERMISSIONS.has(entity)) return readAccess(entity, connection);
  if (sets === 'all') return 'granted';
  const isViewed = sets.get(entity) ?? sets.get(BELONGS_TO[entity] ?? '');
  if (isViewed === undefined) return readAccess(entity, connection);
  return isViewed ? 'granted' : 'missing';
}

async function readAccess(entity: string, connection: SalesforceConnection): Promise<EntityAccess> {
  try {
    const { queryable } = DESCRIPTION.parse(await get(`/sobjects/${entity}/describe`, connection));
    return queryable === false ? 'missing' : 'granted';
  } catch (error) {
    const { code } = toSalesforceError(error, `describe of ${entity}`);
    return code === 'SALESFORCE_NOT_FOUND' || code === 'SALESFORCE_FORBIDDEN' ? 'missing' : 'unknown';
  }
}

async function permissionSets(entities: readonly string[], connection: SalesforceConnection): Promise<Sets> {
  try {
    const userId = USER_ID.parse((await connection.signedIn()).userInfo?.id);
    const { records: assignments } = ASSIGNMENTS.parse(
      await query(
        soql`SELECT PermissionSetId, PermissionSet.PermissionsViewAllData
          FROM PermissionSetAssignment WHERE AssigneeId = ${userId}`,
        connection,
      ),
    );
    if (assignments.some(({ PermissionSet }) => PermissionSet?.PermissionsViewAllData === true)) return 'all';
    const ids = assignments.map(({ PermissionSetId }) => PermissionSetId);
    if (ids.length === 0) return 'hidden'; // every user has the set of their profile: it is not shown
    const asked = [...new Set(entities.flatMap((entity) => [entity, BELONGS_TO[entity] ?? entity]))];
    const { records } = PERMISSIONS.parse(
      await query(
        soql`SELECT SobjectType, PermissionsViewAllRecords FROM ObjectPermissions
          WHERE ParentId IN ${ids} AND SobjectType IN ${asked}`,
        connection,
      ),
    );
    const sets = new Map<string, boolean>();
    for (const { SobjectType: name, PermissionsViewAllRecords: isViewed } of records) {
      sets.set(name, isViewed || sets.get(name) === true);
    }
    return sets;
  } catch (error) {
    return isHidden(error) ? 'hidden' : 'unknown';
  }
}

/** Whether a retry would get the same answer: the user may not see permission sets, or they have an unexpected form. */
function isHidden(error: unknown): boolean {
  if (error instanceof z.ZodError) return true;
  const { code } = toSalesforceError(error, 'query of the permission sets');
  return code === 'SALESFORCE_FORBIDDEN' || code === 'SALESFORCE_BAD_REQUEST' || code === 'SALESFORCE_NOT_FOUND';
}

async function query({ text }: Soql, connection: SalesforceConnection): Promise<{ records: unknown[] }> {
  const url = `/query?q=${encodeURIComponent(text)}`;
  return { records: await collectRecords(url, (page) => get(page, connection), connection.options.recordCountMax) };
}

function get(path: string, connection: SalesforceConnection): Promise<unknown> {
  return connection.request((jsforce, http) => jsforce.requestGet(path, http));
}
