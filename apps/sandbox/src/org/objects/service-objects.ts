import { field, lookup, readOnly, type FieldDefinition } from '../field-definition.js';
import { ObjectDefinition } from '../object-definition.js';

/**
 * The standard objects of sales and service that most orgs use and this portal does not. They hold few of their fields:
 * those that a cache of one's own begins with.
 */
export function serviceObjects(): ObjectDefinition[] {
  return [
    new ObjectDefinition('Contact', '003', contactFields()),
    new ObjectDefinition('Case', '500', caseFields()),
    new ObjectDefinition('Asset', '02i', assetFields()),
    new ObjectDefinition('Contract', '800', contractFields()),
    new ObjectDefinition('Opportunity', '006', opportunityFields()),
  ];
}

function account(children: string): FieldDefinition {
  return lookup('AccountId', 'Account', { children });
}

function contactFields(): FieldDefinition[] {
  return [
    account('Contacts'),
    field('FirstName', 'string', { length: 40 }),
    field('LastName', 'string', { length: 80, required: true }),
    field('Email', 'string', { length: 80 }),
    field('Phone', 'string', { length: 40 }),
    field('Title', 'string', { length: 128 }),
    lookup('OwnerId', 'User'),
  ];
}

function caseFields(): FieldDefinition[] {
  return [
    readOnly('CaseNumber', 'string', { length: 30 }),
    account('Cases'),
    lookup('ContactId', 'Contact', { children: 'Cases' }),
    lookup('OwnerId', 'User'),
    field('Subject', 'string'),
    field('Description', 'textarea'),
    field('Status', 'picklist', { picklist: ['New', 'Working', 'Escalated', 'Closed'], defaultValue: 'New' }),
    field('Priority', 'picklist', { picklist: ['High', 'Medium', 'Low'], defaultValue: 'Medium' }),
    field('Origin', 'picklist', { picklist: ['Phone', 'Email', 'Web'] }),
    field('Type', 'picklist', { picklist: ['Question', 'Problem', 'Other'] }),
  ];
}

function assetFields(): FieldDefinition[] {
  return [
    field('Name', 'string', { required: true }),
    account('Assets'),
    lookup('ContactId', 'Contact', { children: 'Assets' }),
    lookup('Product2Id', 'Product2', { children: 'Assets' }),
    field('SerialNumber', 'string', { length: 80 }),
    field('Status', 'picklist', { picklist: ['Purchased', 'Shipped', 'Installed', 'Registered', 'Obsolete'] }),
    field('InstallDate', 'date'),
    field('Quantity', 'double'),
  ];
}

function contractFields(): FieldDefinition[] {
  return [
    lookup('AccountId', 'Account', { children: 'Contracts', required: true }),
    field('Status', 'picklist', { picklist: ['Draft', 'In Approval Process', 'Activated'], defaultValue: 'Draft' }),
    field('StartDate', 'date'),
    field('ContractTerm', 'int'),
    field('Description', 'textarea'),
  ];
}

function opportunityFields(): FieldDefinition[] {
  return [
    field('Name', 'string', { length: 120, required: true }),
    account('Opportunities'),
    field('StageName', 'picklist', {
      picklist: ['Prospecting', 'Qualification', 'Negotiation', 'Closed Won', 'Closed Lost'],
      required: true,
    }),
    field('CloseDate', 'date', { required: true }),
    field('Amount', 'currency'),
    lookup('OwnerId', 'User'),
  ];
}
