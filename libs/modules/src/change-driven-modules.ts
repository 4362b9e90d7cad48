import { CatalogModule } from './catalog/catalog.module.js';
import { OrdersModule } from './orders/orders.module.js';

/**
 * The domains whose entries Salesforce's change events end. Named once for both applications: the BFF caches, and whoever
 * consumes the events (a worker, or the BFF itself with the embedded store) needs their subscribers. What is in one of them
 * only would be cached and never told.
 */
export const CHANGE_DRIVEN_MODULES = [OrdersModule, CatalogModule];
