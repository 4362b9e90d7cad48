import { z } from 'zod';
import { withDeadline } from '../deadline.js';
import type { SalesforceConnection } from '../salesforce-connection.js';
import { toSalesforceError } from '../salesforce.errors.js';
import { soql, type Soql } from '../soql.js';

/** `unknown`: Salesforce could not be asked. */
export type EntityAccess = 'granted' | 'missing' | 'unknown';

/** Objects whose permission is not "View All Records" on them, but one that nothing but a setting of the org tells. */
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
const PERMISSIONS = z.object({ records: z.array(z.object({ SobjectType: z.string() })) });

/**
 * Whether the integration user may read every record of these objects, which change events ask for (Change Data Capture
 * Guide, "Required Permissions for Receiving Change Events"). By describe, and by the permission sets of the user where
 * these may be read; what cannot be seen in them is taken for granted.
 */
export async function accessToEntities(
  entities: readonly string[],
  connection: SalesforceConnection,
): Promise<ReadonlyMap<string, EntityAccess>> {
  const access = await Promise.all(entities.map((entity) => readAccess(entity, connection)));
  const readable = entities.filter((entity, i) => access[i] === 'granted' && !WITHOUT_OBJECT_PERMISSIONS.has(entity));
  const viewed = readable.length === 0 ? undefined : await viewedWhole(readable, connection).catch(() => undefined);
  return new Map(
    entities.map((entity, i) => {
      const isPartial = viewed !== undefined && readable.includes(entity) && !viewed.has(entity);
      return [entity, isPartial ? 'missing' : (access[i] as EntityAccess)];
    }),
  );
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

/** Those on which some permission set of the user grants "View All Records". Rejects when that cannot be seen. */
async function viewedWhole(
  entities: readonly string[],
  connection: SalesforceConnection,
): Promise<ReadonlySet<string>> {
  const userId = USER_ID.parse((await connection.signedIn()).userInfo?.id);
  const { records: assignments } = ASSIGNMENTS.parse(
    await query(
      soql`SELECT PermissionSetId, PermissionSet.PermissionsViewAllData
        FROM PermissionSetAssignment WHERE AssigneeId = ${userId}`,
      connection,
    ),
  );
  if (assignments.some(({ PermissionSet }) => PermissionSet?.PermissionsViewAllData === true)) return new Set(entities);
  const sets = assignments.map(({ PermissionSetId }) => PermissionSetId);
  const { records: permissions } = PERMISSIONS.parse(
    await query(
      soql`SELECT SobjectType FROM ObjectPermissions
        WHERE ParentId IN ${sets} AND SobjectType IN ${entities} AND PermissionsViewAllRecords = ${true}`,
      connection,
    ),
  );
  return new Set(permissions.map(({ SobjectType }) => SobjectType));
}

function query({ text }: Soql, connection: SalesforceConnection): Promise<unknown> {
  return get(`/query?q=${encodeURIComponent(text)}`, connection);
}

async function get(path: string, connection: SalesforceConnection): Promise<unknown> {
  const { requestTimeoutMs } = connection.options;
  return withDeadline(requestTimeoutMs, async () => (await connection.signedIn()).requestGet(path));
}
