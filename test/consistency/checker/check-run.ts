import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { elapse } from '../../support/eventually.js';
import { startRedisServer, type RedisServer } from '../../support/redis-server.js';
import { convergence, type Convergence } from './convergence.js';
import { withinMs } from './deadline.js';
import { FaultInjector } from './faults/fault-injector.js';
import { scheduleFaults, type FaultKind } from './faults/fault-schedule.js';
import { RunClock } from './history/clock.js';
import { History } from './history/history.js';
import { timeline } from './history/timeline.js';
import { Verifier } from './history/verifier.js';
import type { CheckOptions } from './options.js';
import { ProcessPool } from './process-pool.js';
import { factCount } from './source/universe.js';
import { VersionedSource } from './source/versioned-source.js';

/** An invalidation waits for another process for one lease (1 s); the rest is for a machine under load. */
const UNDISTURBED_MAX_MS = 2000;
/** One lease, and what two clocks may drift apart meanwhile: docs/concepts/l1.md. */
const BOUNDED_GRACE_US = (1000 * 1.01 + 10) * 1000;
const APP_NAME = 'checked';
const CLOSE_MS = 10_000;
const ADVANCE_MS = 250;
const PROGRESS_MS = 15_000;

/** What a run has found. */
export interface CheckOutcome {
  readonly verifier: Verifier;
  readonly faults: ReadonlyMap<FaultKind, number>;
  readonly startedProcesses: number;
  readonly seconds: number;
  /** What is at rest when everything has stopped; undefined if the run ended before. */
  readonly convergence: Convergence | undefined;
  /** What happened around the first violation. */
  readonly timeline: readonly string[];
  /** What makes the run worthless or is a violation of its own: processes that ended, or did not come to rest. */
  readonly failures: readonly string[];
  /** Where the history is, if it was kept. */
  readonly folder: string | undefined;
}

/** Runs processes, changes and faults for a while, lets everything come to rest, and judges it all. */
export async function checkRun(options: CheckOptions, say: (text: string) => void): Promise<CheckOutcome> {
  const folder = await mkdtemp(join(tmpdir(), 'evergreen-consistency-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove); // whoever interrupts it does not want its files
  const servers: RedisServer[] = [];
  let isKept = false;
  try {
    const start = (args: string[]) => startRedisServer({ args }).then((server) => (servers.push(server), server));
    const redis = await start(['--enable-debug-command', 'yes']);
    const source = await start([]);
    const outcome = await new CheckRun(options, folder, redis, source, say).run();
    // Whoever looks for a violation on purpose does not want to look into it.
    isKept = options.keep || (outcome.verifier.violationCount > 0 && !options.untilViolation);
    return { ...outcome, folder: isKept ? folder : undefined };
  } finally {
    // With a deadline also because the servers do not keep this process alive while it waits for them.
    await withinMs(CLOSE_MS, Promise.all(servers.map((server) => server.stop())), 'a redis-server did not end');
    if (!isKept) remove();
    process.off('exit', remove);
  }
}

class CheckRun {
  private readonly origin = process.hrtime.bigint();
  private readonly clock = new RunClock(this.origin);
  private readonly verifier: Verifier;
  private readonly history: History;
  private readonly pool: ProcessPool;
  private readonly injector: FaultInjector;
  private readonly truth: VersionedSource;
  private readonly failures: string[] = [];

  constructor(
    private readonly options: CheckOptions,
    private readonly folder: string,
    private readonly redis: RedisServer,
    source: RedisServer,
    private readonly say: (text: string) => void,
  ) {
    const { seed, mode, partitions, without } = options;
    this.verifier = new Verifier({ factCount, graceUs: mode === 'bounded' ? BOUNDED_GRACE_US : 0 });
    this.history = new History(folder, this.verifier);
    this.truth = new VersionedSource(source.url);
    const urls = { cacheUrl: redis.url, sourceUrl: source.url, appName: APP_NAME };
    const shared = { ...urls, seed, mode, partitions, without, origin: String(this.origin), historyFolder: folder };
    this.pool = new ProcessPool(shared, this.history);
    this.injector = new FaultInjector(redis, this.pool, this.clock, this.verifier);
  }

  async run(): Promise<Omit<CheckOutcome, 'folder'>> {
    let found: Convergence | undefined;
    let seconds = 0;
    try {
      await this.pool.start(this.options.readers);
      seconds = await this.disturb();
      if (!this.hasToEnd()) found = await this.comeToRest();
    } catch (error) {
      this.failures.push(error instanceof Error ? error.message : String(error));
    } finally {
      await this.pool.close();
      this.injector.close();
      this.truth.close();
    }
    this.history.advance();
    this.verifier.conclude();
    const { longestUndisturbedMs } = this.verifier.times;
    if (longestUndisturbedMs > UNDISTURBED_MAX_MS)
      this.failures.push(
        `an invalidation took ${longestUndisturbedMs.toFixed(0)} ms: other processes hold it up for a lease at most`,
      );
    this.failures.push(...this.pool.unexpectedEnds.map(({ how }) => how));
    const [first] = this.verifier.violations;
    return {
      verifier: this.verifier,
      faults: this.injector.counts,
      startedProcesses: this.pool.startedCount,
      seconds,
      convergence: found,
      timeline: first ? timeline(this.folder, first, this.injector.events) : [],
      failures: this.failures,
    };
  }

  /** Faults as scheduled, while the history is judged as it grows; how many seconds it took. */
  private async disturb(): Promise<number> {
    const beganAt = performance.now();
    const forMs = this.options.seconds * 1000;
    const faults = scheduleFaults(this.options.seed, forMs, this.options.faults);
    let saidAt = beganAt;
    while (performance.now() - beganAt < forMs && !this.hasToEnd()) {
      const now = performance.now() - beganAt;
      while (faults[0] && faults[0].at <= now) this.injector.inject(faults.shift() as (typeof faults)[number]);
      this.history.advance();
      if (performance.now() - saidAt > PROGRESS_MS) {
        saidAt = performance.now();
        const { readCount, violationCount } = this.verifier;
        this.say(`${Math.round(now / 1000)} s: ${readCount} reads judged, ${violationCount} violations`);
      }
      await elapse(Math.min(ADVANCE_MS, Math.max(1, (faults[0]?.at ?? Infinity) - now)));
    }
    await this.injector.ended();
    return (performance.now() - beganAt) / 1000;
  }

  private async comeToRest(): Promise<Convergence> {
    const found = await convergence(this.pool.all, this.truth, this.redis.url, APP_NAME);
    const closed = Promise.all(this.pool.all.map((process) => process.close()));
    await withinMs(CLOSE_MS, closed, 'a process did not close its cache').catch((error: Error) =>
      this.failures.push(error.message),
    );
    return found;
  }

  private hasToEnd(): boolean {
    return this.pool.unexpectedEnds.length > 0 || (this.options.untilViolation && this.verifier.violationCount > 0);
  }
}
