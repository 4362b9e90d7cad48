import { AsyncLocalStorage } from 'node:async_hooks';
import { WORK_CLASSES, type Standing, type WorkClass } from './limits.js';

/** What one piece of work, such as an HTTP request, was charged: the newest standing of each class. */
export class Charges {
  private readonly standingOf = new Map<WorkClass, Standing>();

  note(standing: Standing): void {
    this.standingOf.set(standing.work, standing);
  }

  /** In the order of `WORK_CLASSES`. */
  get standings(): readonly Standing[] {
    return WORK_CLASSES.flatMap((work) => this.standingOf.get(work) ?? []);
  }
}

const collected = new AsyncLocalStorage<Charges>();

/** Runs `work` so that `charges` notes what it is charged. Enter again after a body has been read, as for `Caller`. */
export function collectCharges<T>(charges: Charges, work: () => T): T {
  return collected.run(charges, work);
}

/** Notes a charge for the work that is under way, if somebody collects its charges. */
export function noteCharge(standing: Standing): void {
  collected.getStore()?.note(standing);
}
