import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { StoreUnavailableError } from '@bff/infra/cache/cache.errors';
import type { ConsumerLeases, ConsumerTerm } from '@bff/infra/fleet/consumer-leases';
import { Logger } from '@nestjs/common';

/** Times of the consumer's lease. A dead process blocks a takeover for `leaseMs`; a live one renews every `beatMs`. */
export interface ConsumerTimes {
  readonly leaseMs: number;
  readonly beatMs: number;
  /** How often a stand-by checks whether the lease is free. */
  readonly standByMs: number;
}

/** A stand-by takes over less than 5 s after the active process dies, connecting and subscribing included. */
export const CONSUMER_TIMES: ConsumerTimes = { leaseMs: 3_000, beatMs: 750, standByMs: 500 };

/** The work that only the active process does. */
export interface ActiveWork {
  /** Called when this process becomes the active one; not when it gets a new term while it already consumes. */
  start(): Promise<void>;
  /** Resolves when none of the work is under way. */
  stop(): Promise<void>;
  /** Milliseconds since each feed was up to date. A feed that never was is left out. */
  feedAges(): ReadonlyMap<string, number>;
}

export type ConsumerRole = 'active' | 'stand-by' | 'stopped';

/**
 * Ensures that one process consumes: the one that holds the lease. The others stand by, and one of them takes over when
 * the holder has not renewed for `leaseMs`. A process that lost the lease without knowing (paused, cut off) does no
 * harm: it invalidates what another process invalidates too, and it cannot save a position. At its next beat it learns
 * of the loss and stands by.
 *
 * A process that cannot reach the store keeps its role: its events wait and are not lost.
 */
export class ActiveConsumer {
  readonly holder = `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`;
  private readonly logger = new Logger(ActiveConsumer.name);
  private current: ConsumerTerm | undefined;
  private isActive = false;
  private isStopped = false;
  /** Set when `work.start()` rejected. */
  private hasFailed = false;
  private wake: () => void = () => undefined;
  private running: Promise<void> | undefined;

  constructor(
    private readonly consumer: string,
    private readonly leases: ConsumerLeases,
    private readonly work: ActiveWork,
    private readonly times: ConsumerTimes = CONSUMER_TIMES,
  ) {}

  get role(): ConsumerRole {
    if (this.isStopped) return 'stopped';
    return this.isActive ? 'active' : 'stand-by';
  }

  /** The term under which positions are saved; undefined while this process stands by. */
  get term(): ConsumerTerm | undefined {
    return this.current;
  }

  start(): void {
    this.running ??= this.run();
  }

  /**
   * Resolves when the work has stopped and the lease is released. While the store is away, the lease expires by itself.
   */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.isStopped) {
      const wasActive = this.isActive;
      await this.look();
      if (this.isActive && !wasActive) this.begin();
      await this.rest(this.isActive ? this.times.beatMs : this.times.standByMs);
      if (this.hasFailed) await this.giveWay();
    }
    if (this.isActive) await this.end();
  }

  /** Stops the work, releases the lease and waits `leaseMs`, long enough for another process to find the lease free. */
  private async giveWay(): Promise<void> {
    this.hasFailed = false;
    await this.end();
    await this.rest(this.times.leaseMs);
  }

  /** One beat, or one check whether the lease is free. */
  private async look(): Promise<void> {
    const { consumer, leases, times, holder } = this;
    try {
      if (this.current && (await leases.renew(this.current, times.leaseMs, this.work.feedAges()))) return;
      this.current = await leases.acquire(consumer, holder, times.leaseMs);
      if (this.current) this.isActive = true;
      else if (this.isActive) await this.standDown();
    } catch (error) {
      // The next beat that reaches the store shows who holds the lease.
      if (error instanceof StoreUnavailableError) return;
      this.logger.error({ err: error }, `${consumer}: it is not known who consumes; trying again`);
    }
  }

  private begin(): void {
    this.logger.log(`this process consumes ${this.consumer} now (${this.holder})`);
    this.work.start().then(
      () => this.wake(), // reports the feed ages at once
      (error: unknown) => {
        this.logger.error({ err: error }, `${this.consumer}: the work did not start; another process may try`);
        this.hasFailed = true;
        this.wake();
      },
    );
  }

  private async standDown(): Promise<void> {
    this.logger.warn(`another process consumes ${this.consumer} now; this one stands by`);
    this.isActive = false;
    await this.stopWork();
  }

  /**
   * Releases the lease before the work has stopped, which can take as long as Salesforce takes to answer: work done
   * without the lease does no harm, and no stand-by has to wait.
   */
  private async end(): Promise<void> {
    const stopped = this.stopWork();
    const { current } = this;
    this.current = undefined;
    this.isActive = false;
    try {
      if (current) await this.leases.release(current);
    } catch (error) {
      // If the store is away, the lease expires by itself.
      if (!(error instanceof StoreUnavailableError))
        this.logger.error({ err: error }, `${this.consumer}: not released`);
    }
    await stopped;
  }

  private async stopWork(): Promise<void> {
    try {
      await this.work.stop();
    } catch (error) {
      this.logger.error({ err: error }, `${this.consumer}: the work did not stop as it should`);
    }
  }

  private rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.isStopped) return resolve();
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.wake = done;
    });
  }
}
