/** A field's value: dates as `YYYY-MM-DD`, date-times as ISO text in UTC, ids in their 18-character form. */
export type FieldValue = string | number | boolean | null;

/** A stored record. An empty field is null, or absent if the object got it later. */
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
  /** The effect of the parent's deletion on this record. */
  readonly onDelete: 'cascade' | 'restrict' | 'clear';
}

/** The properties of a field that `describe` and the write checks need. */
export interface FieldDefinition {
  readonly name: string;
  readonly label: string;
  readonly type: FieldType;
  /** Maximum length in characters; 0 for types other than texts, pick lists and ids. */
  readonly length: number;
  /** Whether a creation must give the field a value, and no update may empty it. */
  readonly required: boolean;
  readonly createable: boolean;
  readonly updateable: boolean;
  /** Whether the org computes the field, so that no client can write it. */
  readonly calculated: boolean;
  readonly defaultValue: FieldValue;
  readonly picklist: readonly string[];
  /** Whether values outside `picklist` are refused. */
  readonly restricted: boolean;
  readonly reference: ReferenceDefinition | undefined;
  /** The address field that this field is a part of, and the part's name in it. */
  readonly part: { readonly of: string; readonly as: string } | undefined;
  /** Whether the field can name a record, as its id can. */
  readonly externalId: boolean;
  /** Whether no two records may have the same value, compared without regard to case. Deleted ones do not count. */
  readonly unique: boolean;
  /** Whether change events carry the field (`IsDeleted` and `SystemModstamp` are never in events). */
  readonly captured: boolean;
}

const LENGTHS: Partial<Record<FieldType, number>> = {
  id: 18,
  reference: 18,
  string: 255,
  picklist: 255,
  textarea: 32000,
};

/** A field with the defaults of its type, overridden by `details`. */
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
    unique: false,
    captured: true,
    ...details,
  };
}

/** A field that only the org itself writes. */
export function readOnly(name: string, type: FieldType, details: Partial<FieldDefinition> = {}): FieldDefinition {
  return field(name, type, { createable: false, updateable: false, ...details });
}

/** A look-up field. By default the relationship gets its name from the field's (`AccountId` → `Account`). */
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

/** A compound address and its part fields: `BillingAddress`, `BillingStreet`, … */
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

/** The relationship that a look-up field's name gives: `AccountId` → `Account`, `Region__c` → `Region__r`. */
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
