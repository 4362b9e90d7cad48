import { setTimeout as delay } from 'node:timers/promises';
import { createCache } from 'evergreen/dist/libs/infra/src/cache/create-cache.js';
import { ProductsCache } from './products-cache.mjs';
import { productsOf, setPrice } from './products.mjs';

/** A cache as most are: look, fetch, keep; delete after a write. */
const map = new Map();
const plainCache = {
  async inCategory(category) {
    if (!map.has(category)) map.set(category, await productsOf(category));
    return map.get(category);
  },
  async setPrice(id, price) {
    await setPrice(id, price);
    map.clear();
  },
};

const cache = createCache();
await race('a Map', plainCache, 11);
await race('Evergreen', new ProductsCache(cache), 12);
await cache.close();

async function race(name, products, price) {
  const early = products.inCategory('tea'); // the source has read its rows, and answers in 300 ms
  await delay(100);
  await products.setPrice('p1', price); // written and invalidated meanwhile
  const [then] = await early;
  const [later] = await products.inCategory('tea');
  console.log(`${name}: the price is ${price}; the early reader got ${then.price}, a later one ${later.price}`);
}
