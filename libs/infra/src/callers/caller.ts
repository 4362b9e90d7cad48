import { AsyncLocalStorage } from 'node:async_hooks';

/** The customer for whom work is done. Both texts are pseudonyms, fit for logs, key names and reports. */
export interface Caller {
  readonly subject: string;
  /** Undefined: no account belongs to this user, or it is not known yet. */
  readonly account: string | undefined;
  /** The present work is part of a write of this customer, such as an order. @default false */
  readonly isWriting?: boolean;
}

const callers = new AsyncLocalStorage<Caller | undefined>();

/**
 * Runs `work` for this caller: `currentCaller` returns it in all that `work` starts, also after `work` has returned.
 * What a socket or a stream emits later runs outside of it, so enter again after a body has been read.
 */
export function runForCaller<T>(caller: Caller | undefined, work: () => T): T {
  return callers.run(caller, work);
}

/**
 * The customer for whom the present work is done; undefined for work of the process itself, such as what a change event
 * causes. A fetch that several callers share belongs to the caller that started it.
 */
export function currentCaller(): Caller | undefined {
  return callers.getStore();
}

/** The name to count work by: the account, or the user while it is not known; undefined: the process itself. */
export function accountOf(caller: Caller): string;
export function accountOf(caller: Caller | undefined): string | undefined;
export function accountOf(caller: Caller | undefined): string | undefined {
  return caller && (caller.account ?? caller.subject);
}

/**
 * The error as one that is about callers (`CallerError` of the cache, which knows no callers): it is also that of every
 * caller for whom `isOf` holds. Others who share the work that failed do it for themselves. The one way to make such an
 * error.
 */
export function concerning<E extends Error>(error: E, isOf: (caller: Caller | undefined) => boolean): E {
  return Object.defineProperty(error, 'concerns', { value: isOf }); // not enumerable: logs print what is
}
