import { field, lookup, type FieldDefinition, type FieldValue } from './field-definition.js';
import { ObjectDefinition } from './object-definition.js';
import { standardObjects } from './standard-objects.js';

/** One child relationship of an object: `OrderItems` of Order. */
export interface ChildRelationship {
  readonly child: ObjectDefinition;
  readonly field: FieldDefinition;
  readonly name: string | undefined;
}

/** All objects of the org. Names are found without regard to case. */
export class Schema {
  private readonly byName = new Map<string, ObjectDefinition>();
  private customCount = 0;

  constructor() {
    for (const object of standardObjects()) this.add(object);
  }

  object(name: string): ObjectDefinition | undefined {
    return this.byName.get(name.toLowerCase());
  }

  objects(): ObjectDefinition[] {
    return [...this.byName.values()];
  }

  objectOfId(id: string): ObjectDefinition | undefined {
    const prefix = id.slice(0, 3);
    return this.objects().find((object) => object.keyPrefix === prefix);
  }

  children(parent: ObjectDefinition): ChildRelationship[] {
    return this.objects().flatMap((child) =>
      [...child.fields]
        .filter((field) => field.reference?.to === parent.name)
        .map((field) => ({ child, field, name: field.reference?.children })),
    );
  }

  /** The object of this name. An unknown object, which a loaded file names, is created with system fields only. */
  ensureObject(name: string): ObjectDefinition {
    return this.object(name) ?? this.add(new ObjectDefinition(name, this.nextCustomPrefix(), []));
  }

  /** The object's field. An unknown field is added as a look-up to `refersTo`, or with the type of the sample value. */
  ensureField(object: ObjectDefinition, name: string, sample: FieldValue, refersTo?: string): FieldDefinition {
    const known = object.field(name);
    if (known !== undefined) return known;
    const added = refersTo === undefined ? inferred(name, sample) : lookup(name, refersTo);
    object.addField(added);
    return added;
  }

  private add(object: ObjectDefinition): ObjectDefinition {
    this.byName.set(object.name.toLowerCase(), object);
    return object;
  }

  /** The next key prefix of a custom object: `a00`, `a01`, …; each org assigns its own. */
  private nextCustomPrefix(): string {
    return `a${(this.customCount++).toString(36).padStart(2, '0')}`;
  }
}

function inferred(name: string, sample: FieldValue): FieldDefinition {
  if (typeof sample === 'boolean') return field(name, 'boolean');
  if (typeof sample === 'number') return field(name, 'double');
  if (typeof sample !== 'string') return field(name, 'string');
  if (/^\d{4}-\d{2}-\d{2}$/.test(sample)) return field(name, 'date');
  if (/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(sample)) return field(name, 'datetime');
  return field(name, sample.length > 255 ? 'textarea' : 'string');
}
