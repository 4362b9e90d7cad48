/** One request of a load, as its caller saw it. Times by `performance.now()`. */
export interface Sample {
  readonly sentAt: number;
  readonly ms: number;
  /** The request's result; undefined if it rejected. */
  readonly answer: unknown;
  readonly error: unknown;
}

const TICK_MS = 5;
/** A tick that is so much late shows that this process stood still: collected garbage, or had no processor. */
const STALL_MS = 50;

/**
 * Sends requests at a steady rate, whatever the answers do: a slow answer delays no other request. While `mostUnderWay`
 * requests run, the ones that fall due are left out: on a machine that is too busy for the rate, the rest would wait
 * for each other ever longer, and measure that.
 */
export class SteadyLoad {
  readonly samples: Sample[] = [];
  private readonly timer: NodeJS.Timeout;
  private readonly underWay = new Set<Promise<void>>();
  /** When this process stood still, and for how long. */
  private readonly stalls: { readonly endedAt: number; readonly ms: number }[] = [];
  private fellDue = 0;
  private sent = 0;

  constructor(perSecond: number, request: (n: number) => Promise<unknown>, mostUnderWay = Infinity) {
    const startedAt = performance.now();
    let tickedAt = startedAt;
    this.timer = setInterval(() => {
      const now = performance.now();
      const late = now - tickedAt - TICK_MS;
      if (late >= STALL_MS) this.stalls.push({ endedAt: now, ms: late });
      tickedAt = now;
      const due = ((now - startedAt) / 1000) * perSecond;
      for (; this.fellDue < due; this.fellDue++) if (this.underWay.size < mostUnderWay) this.send(request);
    }, TICK_MS);
  }

  /** The requests sent from `from` until before `to` that have ended. Requests that still run are missing. */
  between(from: number, to: number): Sample[] {
    return this.samples.filter(({ sentAt }) => sentAt >= from && sentAt < to);
  }

  /** How long a request took, in ms, without the time in which this process, its caller, stood still meanwhile. */
  waited({ sentAt, ms }: Sample): number {
    const stalled = this.stalls.filter(({ endedAt, ms: stall }) => endedAt > sentAt && endedAt - stall < sentAt + ms);
    return Math.max(0, ms - stalled.reduce((sum, stall) => sum + stall.ms, 0));
  }

  /** Stops sending, and resolves when all requests have ended. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.underWay);
  }

  private send(request: (n: number) => Promise<unknown>): void {
    const sentAt = performance.now();
    const end = (answer: unknown, error?: unknown) => {
      this.samples.push({ sentAt, ms: performance.now() - sentAt, answer, error });
      this.underWay.delete(running);
    };
    const running = request(this.sent++).then(
      (answer) => end(answer),
      (error: unknown) => end(undefined, error),
    );
    this.underWay.add(running);
  }
}
