import type { FieldDefinition } from '../../org/field-definition.js';
import type { ObjectDefinition } from '../../org/object-definition.js';
import type { Schema } from '../../org/schema.js';

const SOAP_TYPES: Readonly<Record<string, string>> = {
  id: 'tns:ID',
  reference: 'tns:ID',
  boolean: 'xsd:boolean',
  int: 'xsd:int',
  double: 'xsd:double',
  currency: 'xsd:double',
  date: 'xsd:date',
  datetime: 'xsd:dateTime',
  address: 'urn:address',
};

/** An object's entry in the list that `/sobjects` answers. */
export function describeBrief(object: ObjectDefinition, version: string): Record<string, unknown> {
  const base = `/services/data/${version}/sobjects/${object.name}`;
  const isWritable = object.traits.isReadOnly !== true;
  const isTable = object.traits.isEvent !== true;
  return {
    name: object.name,
    label: object.name,
    labelPlural: `${object.name}s`,
    keyPrefix: object.keyPrefix,
    custom: object.isCustom,
    customSetting: false,
    createable: isWritable,
    updateable: isWritable && isTable,
    deletable: isWritable && isTable,
    undeletable: isWritable && isTable,
    queryable: isTable,
    retrieveable: isTable,
    replicateable: isTable,
    searchable: false,
    urls: { sobject: base, describe: `${base}/describe`, rowTemplate: `${base}/{ID}` },
  };
}

/** The answer of `/sobjects/X/describe`. */
export function describe(schema: Schema, object: ObjectDefinition, version: string): Record<string, unknown> {
  return {
    ...describeBrief(object, version),
    fields: [...object.fields].map(describeField),
    childRelationships: schema.children(object).map(({ child, field, name }) => ({
      childSObject: child.name,
      field: field.name,
      relationshipName: name ?? null,
      cascadeDelete: field.reference?.onDelete === 'cascade',
      restrictedDelete: field.reference?.onDelete === 'restrict',
      deprecatedAndHidden: false,
    })),
    recordTypeInfos: [],
    supportedScopes: [],
  };
}

function describeField(field: FieldDefinition): Record<string, unknown> {
  return {
    name: field.name,
    label: field.label,
    type: field.type,
    soapType: SOAP_TYPES[field.type] ?? 'xsd:string',
    length: field.length,
    precision: field.type === 'double' || field.type === 'currency' ? 18 : 0,
    scale: field.type === 'currency' ? 2 : 0,
    nillable: !field.required && field.type !== 'boolean' && field.type !== 'id',
    createable: field.createable,
    updateable: field.updateable,
    calculated: field.calculated,
    custom: field.name.endsWith('__c'),
    defaultValue: field.defaultValue,
    defaultedOnCreate: field.defaultValue !== null || !field.createable,
    filterable: field.type !== 'address',
    sortable: field.type !== 'address',
    externalId: field.externalId,
    idLookup: field.externalId || field.type === 'id',
    unique: field.unique,
    nameField: field.name === 'Name',
    compoundFieldName: field.part?.of ?? null,
    picklistValues: field.picklist.map((value) => ({
      value,
      label: value,
      active: true,
      defaultValue: value === field.defaultValue,
      validFor: null,
    })),
    restrictedPicklist: field.restricted,
    referenceTo: field.reference === undefined ? [] : [field.reference.to],
    relationshipName: field.reference?.relationship ?? null,
    cascadeDelete: field.reference?.onDelete === 'cascade',
    restrictedDelete: field.reference?.onDelete === 'restrict',
  };
}
