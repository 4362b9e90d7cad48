import { lookup, readOnly, type FieldDefinition } from './field-definition.js';

/** An object with its fields and traits. Field names are found without regard to case, as in Salesforce. */
export class ObjectDefinition {
  private readonly byName = new Map<string, FieldDefinition>();
  private fieldChanges = 0;

  constructor(
    readonly name: string,
    readonly keyPrefix: string,
    fields: readonly FieldDefinition[],
    readonly traits: ObjectTraits = {},
  ) {
    for (const field of [...(traits.isEvent ? eventFields() : systemFields()), ...fields]) this.addField(field);
  }

  get fields(): IterableIterator<FieldDefinition> {
    return this.byName.values();
  }

  /** Increases whenever a field is added or changed. */
  get revision(): number {
    return this.fieldChanges;
  }

  get isCustom(): boolean {
    return /__[a-z]$/i.test(this.name);
  }

  field(name: string): FieldDefinition | undefined {
    return this.byName.get(name.toLowerCase());
  }

  /** The look-up whose relationship has this name (`Account` on Order). */
  parent(relationship: string): FieldDefinition | undefined {
    const wanted = relationship.toLowerCase();
    for (const field of this.fields) if (field.reference?.relationship?.toLowerCase() === wanted) return field;
    return undefined;
  }

  addField(field: FieldDefinition): void {
    this.byName.set(field.name.toLowerCase(), field);
    this.fieldChanges++;
  }
}

/** The properties that set an object apart from an ordinary table. */
export interface ObjectTraits {
  /** Selected for Change Data Capture at the start; later `Channels.isCaptured` says. @default false */
  readonly capturesChanges?: boolean;
  /** A platform event: it can be published, not queried. @default false */
  readonly isEvent?: boolean;
  /** Cannot be written through the API. @default false */
  readonly isReadOnly?: boolean;
  /** Fields that its CREATE events lack although the record has them. */
  readonly notInCreateEvents?: readonly string[];
}

function systemFields(): FieldDefinition[] {
  return [
    readOnly('Id', 'id', { captured: false }),
    readOnly('IsDeleted', 'boolean', { captured: false }),
    readOnly('CreatedDate', 'datetime'),
    lookup('CreatedById', 'User', { createable: false, updateable: false }),
    readOnly('LastModifiedDate', 'datetime'),
    lookup('LastModifiedById', 'User', { createable: false, updateable: false }),
    readOnly('SystemModstamp', 'datetime', { captured: false }),
  ];
}

function eventFields(): FieldDefinition[] {
  return [readOnly('CreatedDate', 'datetime'), lookup('CreatedById', 'User', { createable: false, updateable: false })];
}
