/** One request of a load, as its caller saw it. Times by `performance.now()`. */
export interface Sample {
  readonly sentAt: number;
  readonly ms: number;
  /** The request's result; undefined if it rejected. */
  readonly answer: unknown;
  readonly error: unknown;
}

const TICK_MS = 5;

/** Sends requests at a steady rate, whatever the answers do: a slow answer delays no other request. */
export class SteadyLoad {
  readonly samples: Sample[] = [];
  private readonly timer: NodeJS.Timeout;
  private readonly underWay = new Set<Promise<void>>();
  private sent = 0;

  constructor(perSecond: number, request: (n: number) => Promise<unknown>) {
    const startedAt = performance.now();
    this.timer = setInterval(() => {
      const due = ((performance.now() - startedAt) / 1000) * perSecond;
      while (this.sent < due) this.send(request);
    }, TICK_MS);
  }

  /** The requests sent from `from` until before `to` that have ended. Requests that still run are missing. */
  between(from: number, to: number): Sample[] {
    return this.samples.filter(({ sentAt }) => sentAt >= from && sentAt < to);
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
