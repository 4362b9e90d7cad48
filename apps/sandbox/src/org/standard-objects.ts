import { address, field, lookup, readOnly, type FieldDefinition, type FieldValue } from './field-definition.js';
import { ObjectDefinition } from './object-definition.js';
import { serviceObjects } from './objects/service-objects.js';

/** The values of the portal's pick lists; `describe` shows them. */
export const PICKLISTS = {
  productFamily: ['Internet', 'SIM', 'VPN', 'Voice', 'Hardware'],
  region: ['East', 'West'],
  billingCycle: ['Monthly', 'Onetime'],
  availability: ['In stock', 'Limited', 'Out of stock'],
  eligibility: ['Pending', 'Eligible', 'Ineligible'],
  orderStatus: [
    'Draft',
    'Pending Review',
    'Approved',
    'Processing',
    'Activated',
    'Completed',
    'Reactivate',
    'Cancelled',
  ],
  orderType: ['Internet', 'SIM', 'VPN', 'Voice', 'Other'],
  activationStatus: ['Not Started', 'Activating', 'Activated', 'Failed'],
  activationType: ['Immediate', 'Scheduled'],
  installationType: ['Single', '12-Month', '24-Month'],
  accessMode: ['PPPoE', 'IPoE-BYOR', 'IPoE-HGW'],
  simType: ['eSIM', 'Physical SIM'],
  vpnRegion: ['San Francisco', 'London'],
} as const;

/** The objects every org of this sandbox has, before any file is loaded. */
export function standardObjects(): ObjectDefinition[] {
  return [
    new ObjectDefinition('Organization', '00D', organizationFields(), { isReadOnly: true }),
    new ObjectDefinition('User', '005', userFields(), { isReadOnly: true }),
    new ObjectDefinition('Account', '001', accountFields(), { capturesChanges: true }),
    new ObjectDefinition('Product2', '01t', productFields(), { capturesChanges: true }),
    new ObjectDefinition('Pricebook2', '01s', pricebookFields()),
    new ObjectDefinition('PricebookEntry', '01u', pricebookEntryFields(), {
      capturesChanges: true,
      // Object Reference, "PricebookEntryChangeEvent": a CREATE payload has none of these.
      notInCreateEvents: ['CreatedById', 'CreatedDate', 'LastModifiedById', 'LastModifiedDate'],
    }),
    new ObjectDefinition('Order', '801', orderFields(), { capturesChanges: true }),
    new ObjectDefinition('OrderItem', '802', orderItemFields(), { capturesChanges: true }),
    new ObjectDefinition('ProductCatalog', '0ZS', [name()]),
    new ObjectDefinition('ProductCategory', '0ZG', productCategoryFields()),
    new ObjectDefinition('ProductCategoryProduct', '0ZQ', productCategoryProductFields()),
    ...serviceObjects(),
    new ObjectDefinition('PermissionSet', '0PS', permissionSetFields(), { isReadOnly: true }),
    new ObjectDefinition('PermissionSetAssignment', '0Pa', permissionSetAssignmentFields(), { isReadOnly: true }),
    new ObjectDefinition('ObjectPermissions', '110', objectPermissionsFields(), { isReadOnly: true }),
    new ObjectDefinition('Account_Eligibility_Update__e', 'e00', eligibilityEventFields(), { isEvent: true }),
  ];
}

function name(): FieldDefinition {
  return field('Name', 'string', { required: true });
}

function externalId(fieldName: string, length = 255): FieldDefinition {
  return field(fieldName, 'string', { length, externalId: true });
}

function picklist(fieldName: string, values: readonly string[], restricted = true): FieldDefinition {
  return field(fieldName, 'picklist', { picklist: values, restricted });
}

function withDefault(definition: FieldDefinition, defaultValue: FieldValue): FieldDefinition {
  return { ...definition, defaultValue };
}

function organizationFields(): FieldDefinition[] {
  return [
    readOnly('Name', 'string'),
    readOnly('IsSandbox', 'boolean'),
    readOnly('InstanceName', 'string'),
    readOnly('OrganizationType', 'string'),
    readOnly('NamespacePrefix', 'string', { length: 15 }),
    readOnly('TrialExpirationDate', 'datetime'),
  ];
}

function userFields(): FieldDefinition[] {
  return [
    readOnly('Name', 'string'),
    readOnly('Username', 'string'),
    readOnly('Email', 'string'),
    readOnly('IsActive', 'boolean'),
  ];
}

function accountFields(): FieldDefinition[] {
  return [
    name(),
    field('AccountNumber', 'string', { length: 40 }),
    picklist('Type', ['Customer', 'Prospect', 'Partner', 'Other'], false),
    picklist('Industry', ['Telecommunications', 'Manufacturing', 'Retail', 'Education', 'Other'], false),
    field('Phone', 'string', { length: 40 }),
    field('Website', 'string'),
    field('Description', 'textarea'),
    field('NumberOfEmployees', 'int'),
    field('AnnualRevenue', 'currency'),
    lookup('ParentId', 'Account', { children: 'ChildAccounts' }),
    lookup('OwnerId', 'User'),
    ...address('Billing'),
    ...address('Shipping'),
    externalId('Portal_User_Id__c'),
    externalId('WHMCS_Client_Id__c', 20),
    picklist('Internet_Eligibility__c', ['Home 1G', 'Home 10G', 'Apartment 1G', 'Apartment 100M'], false),
    picklist('Internet_Eligibility_Status__c', PICKLISTS.eligibility),
    field('Eligible_Regions__c', 'string'),
  ];
}

function productFields(): FieldDefinition[] {
  return [
    name(),
    field('ProductCode', 'string'),
    field('StockKeepingUnit', 'string', { length: 180 }),
    field('Description', 'textarea', { length: 4000 }),
    field('IsActive', 'boolean'),
    picklist('Family', PICKLISTS.productFamily, false),
    field('DisplayUrl', 'string', { length: 1000 }),
    picklist('Region__c', PICKLISTS.region, false),
    picklist('Billing_Cycle__c', PICKLISTS.billingCycle),
    picklist('Availability__c', PICKLISTS.availability),
    field('Stock__c', 'double'),
  ];
}

function pricebookFields(): FieldDefinition[] {
  return [name(), field('Description', 'string'), field('IsActive', 'boolean'), readOnly('IsStandard', 'boolean')];
}

function pricebookEntryFields(): FieldDefinition[] {
  return [
    readOnly('Name', 'string', { calculated: true }),
    readOnly('ProductCode', 'string', { calculated: true }),
    lookup('Pricebook2Id', 'Pricebook2', {
      required: true,
      updateable: false,
      children: 'PricebookEntries',
      onDelete: 'cascade',
    }),
    lookup('Product2Id', 'Product2', {
      required: true,
      updateable: false,
      children: 'PricebookEntries',
      onDelete: 'cascade',
    }),
    field('UnitPrice', 'currency', { required: true }),
    field('IsActive', 'boolean'),
    field('UseStandardPrice', 'boolean'),
  ];
}

function orderFields(): FieldDefinition[] {
  return [
    readOnly('OrderNumber', 'string', { length: 30 }),
    lookup('AccountId', 'Account', { required: true, children: 'Orders', onDelete: 'restrict' }),
    lookup('Pricebook2Id', 'Pricebook2'),
    lookup('OwnerId', 'User'),
    field('EffectiveDate', 'date', { required: true }),
    field('EndDate', 'date'),
    { ...picklist('Status', PICKLISTS.orderStatus, false), required: true },
    picklist('Type', PICKLISTS.orderType, false),
    readOnly('TotalAmount', 'currency', { calculated: true, defaultValue: 0 }),
    field('Description', 'textarea'),
    field('PoNumber', 'string', { length: 80 }),
    ...address('Billing'),
    ...address('Shipping'),
    withDefault(picklist('Activation_Status__c', PICKLISTS.activationStatus), 'Not Started'),
    picklist('Activation_Type__c', PICKLISTS.activationType),
    field('Activation_Scheduled_At__c', 'datetime'),
    field('Activation_Error_Code__c', 'string'),
    field('Activation_Error_Message__c', 'textarea'),
    externalId('WHMCS_Order_ID__c', 20),
    picklist('Installation_Type__c', PICKLISTS.installationType),
    picklist('Access_Mode__c', PICKLISTS.accessMode),
    field('Hikari_Denwa__c', 'boolean'),
    picklist('VPN_Region__c', PICKLISTS.vpnRegion),
    picklist('SIM_Type__c', PICKLISTS.simType),
    field('EID__c', 'string', { length: 32 }),
    field('Address_Changed__c', 'boolean'),
    { ...externalId('Portal_Request_Id__c', 32), unique: true },
  ];
}

function orderItemFields(): FieldDefinition[] {
  return [
    readOnly('OrderItemNumber', 'string', { length: 30 }),
    lookup('OrderId', 'Order', { required: true, updateable: false, children: 'OrderItems', onDelete: 'cascade' }),
    lookup('PricebookEntryId', 'PricebookEntry', {
      required: true,
      updateable: false,
      children: 'OrderItems',
      onDelete: 'restrict',
    }),
    lookup('Product2Id', 'Product2', { updateable: false, onDelete: 'restrict' }),
    field('Quantity', 'double', { required: true }),
    field('UnitPrice', 'currency', { required: true }),
    readOnly('ListPrice', 'currency'),
    readOnly('TotalPrice', 'currency', { calculated: true }),
    field('ServiceDate', 'date'),
    field('EndDate', 'date'),
    field('Description', 'string'),
    picklist('Billing_Cycle__c', PICKLISTS.billingCycle),
  ];
}

function productCategoryFields(): FieldDefinition[] {
  return [
    name(),
    lookup('CatalogId', 'ProductCatalog', { required: true, updateable: false, onDelete: 'cascade' }),
    lookup('ParentCategoryId', 'ProductCategory'),
    field('Description', 'textarea'),
    field('IsNavigational', 'boolean'),
    field('SortOrder', 'int'),
  ];
}

function productCategoryProductFields(): FieldDefinition[] {
  return [
    lookup('ProductCategoryId', 'ProductCategory', { required: true, updateable: false, onDelete: 'cascade' }),
    lookup('ProductId', 'Product2', { required: true, updateable: false, onDelete: 'cascade' }),
    field('IsPrimaryCategory', 'boolean'),
  ];
}

function permissionSetFields(): FieldDefinition[] {
  return [readOnly('Name', 'string'), readOnly('Label', 'string'), readOnly('PermissionsViewAllData', 'boolean')];
}

function permissionSetAssignmentFields(): FieldDefinition[] {
  return [lookup('AssigneeId', 'User'), lookup('PermissionSetId', 'PermissionSet')];
}

function objectPermissionsFields(): FieldDefinition[] {
  return [
    lookup('ParentId', 'PermissionSet'),
    readOnly('SobjectType', 'string'),
    readOnly('PermissionsRead', 'boolean'),
    readOnly('PermissionsViewAllRecords', 'boolean'),
  ];
}

function eligibilityEventFields(): FieldDefinition[] {
  return [
    field('Account_Id__c', 'string', { required: true, length: 18 }),
    field('Internet_Eligibility_Status__c', 'string'),
  ];
}
