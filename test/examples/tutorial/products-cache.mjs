import { membership, record } from 'evergreen/dist/libs/infra/src/cache/dependencies.js';
import { DomainCache } from 'evergreen/dist/libs/infra/src/cache/domain-cache.js';
import { changeDriven } from 'evergreen/dist/libs/infra/src/cache/strategies.js';
import { productsOf, setPrice } from './products.mjs';

export class ProductsCache extends DomainCache {
  byCategory = this.bucket('category', { strategy: changeDriven() });

  constructor(cache) {
    super('products', cache);
  }

  inCategory(category) {
    return this.byCategory.get([category], async ({ dependsOn }) => {
      dependsOn(membership('Product')); // a product that joins the list, or leaves it
      const rows = await productsOf(category);
      dependsOn(...rows.map((row) => record('Product', row.id)));
      return rows;
    });
  }

  /** Resolves when no later read, in any process, returns the old price. */
  async setPrice(id, price) {
    await setPrice(id, price);
    return this.invalidate(record('Product', id));
  }
}
