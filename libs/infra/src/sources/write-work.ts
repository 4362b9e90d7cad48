import { AsyncLocalStorage } from 'node:async_hooks';

const writes = new AsyncLocalStorage<true>();

/**
 * Runs work whose purpose is a write, such as placing an order. Reads of a source that it makes count as writes: they
 * go before the account's reads, and are still sent when reads are refused to save the source's quota.
 */
export function runAsWrite<T>(work: () => T): T {
  return writes.run(true, work);
}

/** Whether the present work was started by `runAsWrite`. */
export function isPartOfWrite(): boolean {
  return writes.getStore() === true;
}
