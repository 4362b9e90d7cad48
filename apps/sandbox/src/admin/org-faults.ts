import { z } from 'zod';
import { field, type OrgRecord } from '../org/field-definition.js';
import type { ObjectDefinition } from '../org/object-definition.js';
import { SalesforceFault } from '../org/org.errors.js';
import type { Transaction } from '../org/transaction.js';
import { anId, fault, objectName } from './fault.js';

/** A burst writes the first of these fields that the object has and that can be updated. */
const BURST_FIELDS = ['Description', 'UnitPrice', 'Name'];

/**
 * Changes that an administrator, Apex or a batch job makes to an org: many updates, the recycle bin, fields, Setup,
 * permissions.
 */
export const orgFaults = {
  burst: fault({
    fields: z.object({
      entityName: objectName,
      count: z.int().min(1).max(10_000),
      recordsPerTransaction: z.int().min(1).max(10_000).default(1),
    }),
    does: 'So many changes at once, one record after the other; several in one transaction if told so.',
    example: { entityName: 'Order', count: 100 },
    apply: (order, { org }) => {
      const object = org.writableObject(order.entityName);
      const records = org.records(object.name);
      if (records.length === 0) throw new SalesforceFault(400, 'INVALID_INPUT', `there is no ${object.name} to change`);
      for (let done = 0; done < order.count; done += order.recordsPerTransaction) {
        const end = Math.min(order.count, done + order.recordsPerTransaction);
        org.transaction((transaction) => {
          for (let i = done; i < end; i++) touch(transaction, object, records[i % records.length] as OrgRecord, i);
        });
      }
      return { changes: order.count };
    },
  }),
  undelete: fault({
    fields: z.object({ entityName: objectName, recordId: anId }),
    does: 'A record comes back from the recycle bin (Salesforce offers that to Apex and SOAP only).',
    example: { entityName: 'Account', recordId: '0015g000000000BAAQ' },
    apply: (order, { org }) => {
      org.undelete(order.entityName, order.recordId);
      return { recordId: order.recordId };
    },
  }),
  'hard-delete': fault({
    fields: z.object({ entityName: objectName, recordId: anId }),
    does: 'A record is deleted and no event tells of it; queryAll and the list of deleted records do.',
    example: { entityName: 'Account', recordId: '0015g000000000BAAQ' },
    apply: (order, { org, changes }) => {
      changes.withoutEvents(() => org.delete(order.entityName, order.recordId));
      return { recordId: order.recordId };
    },
  }),
  'add-field': fault({
    fields: z.object({
      entityName: objectName,
      name: z.string().regex(/^[A-Za-z]\w{0,39}$/, 'must be a field name, such as Priority__c'),
      type: z.enum(['string', 'textarea', 'boolean', 'int', 'double', 'currency', 'date', 'datetime']),
      isExternalId: z.boolean().default(false),
    }),
    does: "The object gets a field, and its events another schema. A custom field (`__c`) is added at the schema's end, a standard one moves the fields behind it. With `isExternalId` records can be named by it.",
    example: { entityName: 'Order', name: 'Priority__c', type: 'string' },
    apply: (order, { org, schemas }) => {
      const object = org.existingObject(order.entityName);
      if (object.field(order.name) !== undefined) {
        throw new SalesforceFault(400, 'DUPLICATE_VALUE', `${object.name} has a field ${order.name} already`);
      }
      if (order.isExternalId && !['string', 'int', 'double'].includes(order.type)) {
        throw new SalesforceFault(400, 'INVALID_INPUT', 'an external id is a field of type string, int or double');
      }
      object.addField(field(order.name, order.type, { externalId: order.isExternalId }));
      return { schema: schemas.of(object).id };
    },
  }),
  'select-object': fault({
    fields: z.object({ entityName: objectName, isSelected: z.boolean() }),
    does: 'Setup, "Change Data Capture": the object is selected, or not any more. Another one brings events of an entity that a subscriber may not know.',
    example: { entityName: 'Pricebook2', isSelected: true },
    apply: (order, { org, channels }) => {
      channels.select(org.existingObject(order.entityName), order.isSelected);
      return { channels: channels.names() };
    },
  }),
  permission: fault({
    fields: z.object({ entityName: objectName, canRead: z.boolean().default(true), canViewAll: z.boolean() }),
    does: 'The integration user loses (or gets) "View All Records": the object\'s own channel refuses, channels of several objects are silent about it. Without `canRead` the object does not exist for REST either.',
    example: { entityName: 'Order', canViewAll: false },
    apply: (order, { permissions }) => {
      permissions.set(order.entityName, order.canRead, order.canViewAll);
      return { lacking: permissions.lacking() };
    },
    inForce: ({ permissions }) => (permissions.lacking().length > 0 ? permissions.lacking() : undefined),
    end: ({ permissions }) => permissions.lacking().forEach((name) => permissions.set(name, true, true)),
  }),
};

function touch(transaction: Transaction, object: ObjectDefinition, record: OrgRecord, i: number): void {
  const name = BURST_FIELDS.find((candidate) => object.field(candidate)?.updateable === true);
  if (name === undefined) throw new SalesforceFault(400, 'INVALID_INPUT', `a burst cannot change ${object.name}`);
  const isNumber = object.field(name)?.type === 'currency';
  const now = transaction.org.find(object.name, record.Id)?.[name];
  const next = isNumber ? Number(now) + 1 : `burst ${i + 1} of ${transaction.org.clock.now()}`;
  transaction.update(object.name, record.Id, { [name]: next });
}
