import { CatalogModule } from './catalog/catalog.module.js';
import { OrdersModule } from './orders/orders.module.js';

/**
 * The domains whose entries live until a Salesforce change event. Both applications use this list: the BFF caches, and
 * the process that consumes the events (a worker, or the BFF itself with the embedded store) needs their subscribers. A
 * domain that only the BFF had would be cached and never invalidated.
 */
export const CHANGE_DRIVEN_MODULES = [
  // One a line, so that another is a line more.
  OrdersModule,
  CatalogModule,
];
