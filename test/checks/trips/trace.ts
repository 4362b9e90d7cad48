import { AsyncLocalStorage } from 'node:async_hooks';

/** The files that a trip has entered, in the order of their first entry. */
export type Trip = Set<string>;

const current = new AsyncLocalStorage<Trip>();

/**
 * Every function of a counted file calls this (`trace-hook.ts`). Timers that were started before a trip run outside of
 * it.
 */
(globalThis as { enteredFile?: (file: string) => void }).enteredFile = (file) => void current.getStore()?.add(file);

/** The files that `run` enters, its asynchronous parts included. */
export async function traced(run: () => Promise<unknown>): Promise<string[]> {
  const trip: Trip = new Set();
  await current.run(trip, run);
  return [...trip];
}

/** Runs `enter` as a part of the trip. */
export function within<T>(trip: Trip, enter: () => T): T {
  return current.run(trip, enter);
}
