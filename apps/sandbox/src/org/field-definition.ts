/** What a field can hold: dates as `YYYY-MM-DD`, date-times as ISO text in UTC, ids in their 18-character form. */
export type FieldValue = string | number | boolean | null;

/** A stored record. Every field of its object is present; the empty ones are null. */
export type OrgRecord = { [field: string]: FieldValue } & { Id: string };

/** The field types of Salesforce that this org knows, named as `describe` names them. */
export type FieldType =
  | 'id'
  | 'string'
  | 'textarea'
  | 'boolean'
  | 'int'
  | 'double'
  | 'currency'
  | 'date'
  | 'datetime'
  | 'picklist'
  | 'reference'
  | 'address';

/** A look-up to another object. */
export interface ReferenceDefinition {
  readonly to: string;
  /** The name in front of the dot in SOQL: `Account` in `Account.Name`. */
  readonly relationship: string | undefined;
  /** The name in a child sub-query: `OrderItems` in `(SELECT Id FROM OrderItems)`. */
  readonly children: string | undefined;
  /** What the deletion of the parent does to this record. */
  readonly onDelete: 'cascade' | 'restrict' | 'clear';
}

/** Everything `describe` and the write checks need to know of a field. */
export interface FieldDefinition {
  readonly name: string;
  readonly label: string;
  readonly type: FieldType;
  /** In characters; 0 for what is not text. */
  readonly length: number;
  /** Must be given, not empty, when a record is created. */
  readonly required: boolean;
  readonly createable: boolean;
  readonly updateable: boolean;
  /** Worked out by the org, never written by a client. */
  readonly calculated: boolean;
  readonly defaultValue: FieldValue;
  readonly picklist: readonly string[];
  /** Whether values outside `picklist` are refused. */
  readonly restricted: boolean;
  readonly reference: ReferenceDefinition | undefined;
  /** The address field this one is a part of, and its name in there. */
  readonly part: { readonly of: string; readonly as: string } | undefined;
  /** Whether a record can be named by it, beside its id. */
  readonly externalId: boolean;
  /** Whether change events carry it (`IsDeleted` and `SystemModstamp` are never in events). */
  readonly captured: boolean;
}

const LENGTHS: Partial<Record<FieldType, number>> = {
  id: 18,
  reference: 18,
  string: 255,
  picklist: 255,
  textarea: 32000,
};

/** A field with what is usual for its type; `details` says what differs. */
export function field(name: string, type: FieldType, details: Partial<FieldDefinition> = {}): FieldDefinition {
  return {
    name,
    type,
    label: labelOf(name),
    length: LENGTHS[type] ?? 0,
    required: false,
    createable: true,
    updateable: true,
    calculated: false,
    defaultValue: type === 'boolean' ? false : null,
    picklist: [],
    restricted: false,
    reference: undefined,
    part: undefined,
    externalId: false,
    captured: true,
    ...details,
  };
}

/** A field that only the org itself writes. */
export function readOnly(name: string, type: FieldType, details: Partial<FieldDefinition> = {}): FieldDefinition {
  return field(name, type, { createable: false, updateable: false, ...details });
}

/** A look-up field. The relationship is named after the field unless told otherwise (`AccountId` → `Account`). */
export function lookup(
  name: string,
  to: string,
  details: Partial<FieldDefinition> & Partial<Omit<ReferenceDefinition, 'to'>> = {},
): FieldDefinition {
  const { relationship, children, onDelete, ...rest } = details;
  const reference: ReferenceDefinition = {
    to,
    relationship: relationship ?? relationshipOf(name),
    children,
    onDelete: onDelete ?? 'clear',
  };
  return field(name, 'reference', { reference, ...rest });
}

const ADDRESS_PARTS = ['Street', 'City', 'State', 'PostalCode', 'Country'] as const;

/** A compound address and the fields it is made of: `BillingAddress`, `BillingStreet`, … */
export function address(prefix: string): FieldDefinition[] {
  const compound = `${prefix}Address`;
  return [
    ...ADDRESS_PARTS.map((part) =>
      field(prefix + part, part === 'Street' ? 'textarea' : 'string', {
        length: 255,
        part: { of: compound, as: part },
      }),
    ),
    readOnly(compound, 'address', { captured: false }),
  ];
}

/** The name in front of the dot for a look-up: `AccountId` → `Account`, `Region__c` → `Region__r`. */
export function relationshipOf(name: string): string | undefined {
  if (name.endsWith('__c')) return `${name.slice(0, -1)}r`;
  return name.endsWith('Id') && name !== 'Id' ? name.slice(0, -2) : undefined;
}

function labelOf(name: string): string {
  return name
    .replace(/__c$/, '')
    .replace(/_/g, ' ')
    .replace(/([a-z])([A-Z])/g, '$1 $2');
}
