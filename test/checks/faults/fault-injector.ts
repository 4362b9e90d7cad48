import { elapse } from '../../support/eventually.js';

/** Something that a check does to what it checks. */
export interface InjectedFault {
  readonly kind: string;
}

/**
 * Carries out the faults of a check, which may last and overlap. It knows when all have ended, and keeps those that
 * could not be carried out: each is a defect of the check.
 */
export class FaultInjector<F extends InjectedFault> {
  /** Each names the fault, and has what went wrong as its cause. */
  readonly defects: Error[] = [];
  private readonly underWay = new Set<Promise<void>>();
  private readonly lanes = new Map<unknown, Promise<void>>();

  constructor(private readonly carryOut: (fault: F) => Promise<unknown>) {}

  /** Number of faults that have begun and not ended. */
  get open(): number {
    return this.underWay.size;
  }

  /** Begins a fault; it may last. */
  inject(fault: F): void {
    this.begin(this.named(fault));
  }

  /**
   * Begins a series of faults. Each begins after the one before has ended and `calmMs` have passed, until `shouldGoOn`
   * returns false.
   */
  injectInTurn(faults: Iterator<F, never>, calmMs: number, shouldGoOn: () => boolean): void {
    const series = async () => {
      while (shouldGoOn()) {
        await this.named(faults.next().value);
        await elapse(calmMs);
      }
    };
    this.begin(series());
  }

  /**
   * Runs the work after all earlier work of the same lane. A server can be a lane, for example, so that its faults do
   * not overlap.
   */
  async inLane(lane: unknown, work: () => Promise<void>): Promise<void> {
    const before = this.lanes.get(lane) ?? Promise.resolve();
    const mine = before.then(work);
    this.lanes.set(
      lane,
      mine.catch(() => undefined),
    );
    return mine;
  }

  /** Resolves when every fault has ended. */
  async ended(): Promise<void> {
    while (this.underWay.size > 0) await Promise.all(this.underWay);
  }

  private async named(fault: F): Promise<void> {
    try {
      await this.carryOut(fault);
    } catch (cause) {
      throw new Error(`${fault.kind}: ${String(cause)}`, { cause });
    }
  }

  private begin(fault: Promise<void>): void {
    const work: Promise<void> = fault
      .catch((error: Error) => void this.defects.push(error))
      .finally(() => this.underWay.delete(work));
    this.underWay.add(work);
  }
}
