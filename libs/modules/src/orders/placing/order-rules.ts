import type { Eligibility, Offer } from '../../catalog/catalog.types.js';
import type { OrderRequest } from '../order.types.js';
import { OrderNotEligibleError, OrderTooLargeError, ProductNotSoldError } from '../orders.errors.js';

/** The family of products that need the account's internet eligibility. */
const INTERNET_FAMILY = 'Internet';
/** The status (`Account.Internet_Eligibility_Status__c`) of an account whose address can have internet products. */
const ELIGIBLE = 'Eligible';

/** A product that is ordered: its id, and what decides who may order it. */
export type OrderedProduct = Pick<Offer, 'id' | 'family' | 'region'>;

/**
 * Throws unless this account may order all of these products: an internet product needs the status `Eligible`, and a
 * product of a region needs that region among the account's. An account that is not known any more may order only what
 * needs neither.
 */
export function checkEligible(eligibility: Eligibility | undefined, products: readonly OrderedProduct[]): void {
  const status = eligibility?.internet.status ?? null;
  const regions = eligibility?.regions ?? [];
  const reasons = products.flatMap(({ id, family, region }) => {
    if (family === INTERNET_FAMILY && !isSame(status, ELIGIBLE)) {
      return [`${id} (internet service is not confirmed for this account: ${status ?? 'not checked yet'})`];
    }
    if (region !== null && !regions.some((own) => isSame(own, region))) {
      return [`${id} (sold in ${region}; this account's regions: ${regions.join(', ') || 'none'})`];
    }
    return [];
  });
  if (reasons.length > 0) throw new OrderNotEligibleError(reasons);
}

/** Throws if the total by these prices is above the limit. */
export function checkTotal(
  items: OrderRequest['items'],
  priceOf: (productId: string) => number,
  totalMax: number,
): void {
  const total = items.reduce((sum, { productId, quantity }) => sum + quantity * priceOf(productId), 0);
  if (total > totalMax) throw new OrderTooLargeError(total, totalMax);
}

/** The ids of the ordered products, each once. */
export function productsOf({ items }: OrderRequest): string[] {
  return [...new Set(items.map(({ productId }) => productId))];
}

/** The offers of all these products. Throws if one of them is in no category, or has no price. */
export function soldOffers(productIds: readonly string[], offers: ReadonlyMap<string, Offer>): Offer[] {
  const sold = productIds.flatMap((id) => {
    const offer = offers.get(id);
    return offer && offer.price !== null ? [offer] : [];
  });
  if (sold.length < productIds.length) {
    const known = new Set(sold.map(({ id }) => id));
    throw new ProductNotSoldError(productIds.filter((id) => !known.has(id)));
  }
  return sold;
}

/** Names of choices in Salesforce are compared like its own text: without regard to case. */
function isSame(one: string | null, other: string): boolean {
  return one?.toLowerCase() === other.toLowerCase();
}
