import { recordsByExternalId } from '../external-ids.js';
import type { FieldValue } from '../field-definition.js';
import type { ObjectDefinition } from '../object-definition.js';
import { SalesforceFault } from '../org.errors.js';
import type { OrgState } from '../org-state.js';

/**
 * Throws DUPLICATE_VALUE if another record has one of these values in a unique field (REST API Developer Guide, "Status
 * Codes and Error Responses"). It names the first such field and the record, as Salesforce does.
 * @param id the record that is written; undefined for a new one
 */
export function checkUnique(
  org: OrgState,
  object: ObjectDefinition,
  values: Readonly<Record<string, FieldValue>>,
  id?: string,
): void {
  for (const field of object.fields) {
    const value = values[field.name] ?? null;
    if (!field.unique || value === null) continue;
    const other = recordsByExternalId(org, object, field, value).find((record) => record.Id !== id);
    if (other === undefined) continue;
    const message = `duplicate value found: ${field.name} duplicates value on record with id: ${other.Id.slice(0, 15)}`;
    throw new SalesforceFault(400, 'DUPLICATE_VALUE', message, []);
  }
}
