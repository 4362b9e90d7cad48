import { currentCaller, runForCaller } from '../callers/caller.js';

/**
 * Runs work whose purpose is a write of the current caller, such as placing an order. Reads of a source that it makes
 * count as writes: they go before the account's reads, and are still sent when reads are refused to save the source's
 * quota, up to the account's share for writes. Without a caller it changes nothing.
 */
export function runAsWrite<T>(work: () => T): T {
  const caller = currentCaller();
  return caller ? runForCaller({ ...caller, isWriting: true }, work) : work();
}
