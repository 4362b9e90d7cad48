import { isSalesforceId, toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import type { FieldDefinition, FieldValue, OrgRecord } from './field-definition.js';
import { toFieldValue } from './writing/field-input.js';
import type { ObjectDefinition } from './object-definition.js';
import { SalesforceFault } from './org.errors.js';
import type { OrgState } from './org-state.js';

/** The field of this name if records can be found by it: one that is marked as an external id, or `Id`. */
export function externalIdField(object: ObjectDefinition, name: string): FieldDefinition | undefined {
  const field = object.field(name);
  return field !== undefined && (field.externalId || field.type === 'id') ? field : undefined;
}

/**
 * The records that this value names, without deleted ones. Text is compared without regard to case, which is
 * Salesforce's default.
 */
export function recordsByExternalId(
  org: OrgState,
  object: ObjectDefinition,
  field: FieldDefinition,
  value: unknown,
): OrgRecord[] {
  if (field.type === 'id') return byId(org, object, value);
  const wanted = comparable(toFieldValue(field, value));
  if (wanted === null) return [];
  const isFound = (record: OrgRecord): boolean =>
    record['IsDeleted'] !== true && comparable(record[field.name] ?? null) === wanted;
  return [...org.table(object).all()].filter(isFound);
}

/**
 * The client's input, with every parent that it names by an external id
 * (`"Account": {"Portal_User_Id__c": "customer-1"}`) replaced by the look-up (`AccountId`). Throws INVALID_FIELD if the
 * parent is not named by exactly one external id or does not exist (REST API guide, "Insert or Update (Upsert) a Record
 * Using an External ID"), and DUPLICATE_EXTERNAL_ID if several records have that id.
 */
export function withParentIds(
  org: OrgState,
  object: ObjectDefinition,
  input: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const entries = Object.entries(input).map(([name, value]) => {
    const lookup = object.field(name) === undefined ? object.parent(name) : undefined;
    const isNamed = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (lookup === undefined || !isNamed) return [name, value] as const;
    return [lookup.name, parentId(org, lookup, value as Readonly<Record<string, unknown>>)] as const;
  });
  return Object.fromEntries(entries);
}

function parentId(org: OrgState, lookup: FieldDefinition, named: Readonly<Record<string, unknown>>): string {
  const target = org.existingObject(lookup.reference?.to ?? '');
  const [entry, ...others] = Object.entries(named).filter(([name]) => name !== 'attributes');
  if (entry === undefined || others.length > 0) {
    throw invalid(
      `the parent ${lookup.reference?.relationship ?? ''} has to be named by exactly one external ID field`,
    );
  }
  const [name, value] = entry;
  const field = externalIdField(target, name);
  if (field === undefined) {
    throw invalid(
      `Field name provided, ${name} does not match an External ID, Salesforce Id, or indexed field for ${target.name}`,
    );
  }
  const [found, ...more] = recordsByExternalId(org, target, field, value);
  if (found === undefined) {
    throw invalid(
      `Foreign key external ID: ${String(value)} not found for field ${field.name} in entity ${target.name}`,
    );
  }
  if (more.length > 0) throw ambiguous(field, [found, ...more]);
  return found.Id;
}

/** The refusal of an external id that several records have. */
export function ambiguous(field: FieldDefinition, records: readonly OrgRecord[]): SalesforceFault {
  const ids = records.map(({ Id }) => Id).join(', ');
  const message = `${field.name}: more than one record found for external id field: [${ids}]`;
  return new SalesforceFault(400, 'DUPLICATE_EXTERNAL_ID', message, []);
}

function byId(org: OrgState, object: ObjectDefinition, value: unknown): OrgRecord[] {
  if (typeof value !== 'string' || !isSalesforceId(value)) return [];
  const record = org.table(object).get(toSalesforceId(value));
  return record === undefined || record['IsDeleted'] === true ? [] : [record];
}

function comparable(value: FieldValue): FieldValue {
  return typeof value === 'string' ? value.toLowerCase() : value;
}

function invalid(message: string): SalesforceFault {
  return new SalesforceFault(400, 'INVALID_FIELD', message, []);
}
