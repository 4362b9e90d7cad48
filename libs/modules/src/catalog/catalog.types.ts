/** A kind of product, as URLs name it. */
export interface Category {
  /** The name of the category in URLs, such as `internet`. */
  readonly slug: string;
  /** The value of `Product2.Family`. */
  readonly family: string;
  readonly label: string;
}

/** The slowly changing part of a product: its description and price. */
export interface CatalogProduct {
  readonly id: string;
  readonly name: string;
  readonly code: string | null;
  readonly description: string | null;
  /** The region where it is sold; null: everywhere. */
  readonly region: string | null;
  readonly billingCycle: string | null;
  /** In the standard price book; null while it has no active price there, so it cannot be ordered. */
  readonly price: number | null;
}

/** The part of a product that changes often. */
export interface ProductAvailability {
  readonly availability: string | null;
  readonly stock: number | null;
}

/** A product as the portal shows it. */
export type Product = CatalogProduct & ProductAvailability;

/** The answer of `GET /api/catalog/:category`. */
export interface CatalogPage {
  readonly category: string;
  readonly label: string;
  readonly region: string | null;
  readonly products: readonly Product[];
}

/** A product in a category, with what decides whether an account may order it. */
export interface Offer {
  readonly id: string;
  /** The value of `Product2.Family`. */
  readonly family: string | null;
  /** The region where it is sold; null: everywhere. */
  readonly region: string | null;
  /** In the standard price book; null while it has no active price there. */
  readonly price: number | null;
}

/** One choice of an option list. */
export interface Option {
  readonly value: string;
  readonly label: string;
}

/** What an account may order: its internet eligibility and its regions. */
export interface Eligibility {
  readonly accountId: string;
  readonly internet: { readonly eligibility: string | null; readonly status: string | null };
  readonly regions: readonly string[];
}
