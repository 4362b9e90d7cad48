import type { PicklistValue } from '@bff/integrations/salesforce/salesforce.client';
import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import type { AccountRecord, Product2Record } from '@bff/integrations/salesforce/salesforce.types';
import type { CatalogProduct, Category, Eligibility } from './catalog.types.js';

type ProductFields = Pick<
  Product2Record,
  'Id' | 'Name' | 'ProductCode' | 'Description' | 'Region__c' | 'Billing_Cycle__c'
>;

/** A product record with its price. */
export function toCatalogProduct(product: ProductFields, price: number | null): CatalogProduct {
  return {
    id: toSalesforceId(product.Id),
    name: product.Name,
    code: product.ProductCode,
    description: product.Description,
    region: product.Region__c,
    billingCycle: product.Billing_Cycle__c,
    price,
  };
}

/** A value of `Product2.Family` with its name for URLs: lower case, words joined by hyphens. */
export function toCategory({ value, label }: PicklistValue): Category {
  const slug = value
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '');
  return { slug, family: value, label };
}

/**
 * What an account may order, from its record. Regions are a semicolon-separated list, as in a multi-select; commas work
 * too.
 */
export function toEligibility(
  account: Pick<
    AccountRecord,
    'Id' | 'Internet_Eligibility__c' | 'Internet_Eligibility_Status__c' | 'Eligible_Regions__c'
  >,
): Eligibility {
  return {
    accountId: toSalesforceId(account.Id),
    internet: { eligibility: account.Internet_Eligibility__c, status: account.Internet_Eligibility_Status__c },
    regions: (account.Eligible_Regions__c ?? '').split(/[;,]/).flatMap((region) => region.trim() || []),
  };
}
