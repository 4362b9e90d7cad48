import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { elapse } from '../../support/eventually.js';
import { startRedisServer } from '../../support/redis/redis-server.js';
import { startCheckedStore, type CheckedStore } from './checked-store.js';
import { convergence, type Convergence } from './convergence.js';
import { withinMs } from '../within-ms.js';
import type { FaultInjector } from '../faults/fault-injector.js';
import type { Fault } from './faults/fault-schedule.js';
import { ProcessFaults } from './faults/process-faults.js';
import { FaultScene } from './faults/fault-scene.js';
import { scheduleFaults, type FaultKind } from './faults/fault-schedule.js';
import type { ServerFaults } from './faults/server-faults.js';
import { RunClock } from './history/clock.js';
import { History } from './history/history.js';
import { timeline, type RunEvent } from './history/timeline.js';
import { Verifier } from './history/verifier.js';
import type { CheckOptions } from './options.js';
import { ProcessPool } from './pool/process-pool.js';
import { factCount } from './source/universe.js';
import { VersionedSource } from './source/versioned-source.js';

/**
 * Maximum time for an undisturbed invalidation. It waits for another process for an L1's lease (1 s) at most; the rest
 * allows for a loaded machine.
 */
const UNDISTURBED_MAX_MS = 2000;
/** For bounded L1s: an L1's lease, and the drift between two clocks during it (docs/concepts/l1.md). */
const BOUNDED_GRACE_US = (1000 * 1.01 + 10) * 1000;
/** How long after the end of the last fault the store may take to serve every process again. */
const RECOVERED_MAX_MS = 5000;
/**
 * Maximum time for the fastest of five invalidations of a process at rest. If a process waits for a lost connection,
 * each of its invalidations takes longer (757 ms were measured).
 */
const INVALIDATION_MAX_MS = 600;
/** Pause after a fault of several servers, so that everything works for at least a moment. */
const CALM_MS = 1200;
const CLOSE_MS = 10_000;
const ADVANCE_MS = 250;
const PROGRESS_MS = 15_000;

/** The findings of a run. */
export interface CheckOutcome {
  readonly verifier: Verifier;
  readonly faults: ReadonlyMap<FaultKind, number>;
  /** The faults of the run, and what was seen of them later, in order. */
  readonly events: readonly RunEvent[];
  readonly startedProcesses: number;
  readonly seconds: number;
  /** The state when nothing changes any more; undefined if the run ended before. */
  readonly convergence: Convergence | undefined;
  /** The events around the first violation; empty if there was none. */
  readonly timeline: readonly string[];
  /**
   * What went wrong besides violations: a process ended or did not come to rest, an invalidation or a recovery took too
   * long, or the checker could not do something. The run then shows nothing, or is itself a violation.
   */
  readonly failures: readonly string[];
  /** The folder of the history, if it was kept. */
  readonly folder: string | undefined;
}

/** Runs processes, changes and faults for a while, lets everything come to rest, and judges the history. */
export async function checkRun(options: CheckOptions, say: (text: string) => void): Promise<CheckOutcome> {
  const folder = await mkdtemp(join(tmpdir(), 'evergreen-consistency-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove); // an interrupted run leaves no files
  const servers: { stop(): Promise<void> }[] = [];
  let isKept = false;
  try {
    const source = await startRedisServer();
    servers.push(source);
    const store = await startCheckedStore(options.topology, options.partitions);
    servers.push(store);
    const outcome = await new CheckRun(options, folder, store, source.url, say).run();
    // A run that ends at the first violation is a search for one; its history is not needed.
    isKept = options.keep || (outcome.verifier.violationCount > 0 && !options.untilViolation);
    return { ...outcome, folder: isKept ? folder : undefined };
  } finally {
    // The deadline also keeps this process alive with its timer; the child processes of the servers do not.
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
  private readonly scene: FaultScene;
  private readonly servers: ServerFaults;
  private readonly injector: FaultInjector<Fault>;
  private readonly truth: VersionedSource;
  private readonly failures: string[] = [];

  constructor(
    private readonly options: CheckOptions,
    private readonly folder: string,
    private readonly store: CheckedStore,
    sourceUrl: string,
    private readonly say: (text: string) => void,
  ) {
    const { seed, mode, partitions, without } = options;
    this.verifier = new Verifier({ factCount, graceUs: mode === 'bounded' ? BOUNDED_GRACE_US : 0 });
    this.history = new History(folder, this.verifier);
    this.truth = new VersionedSource(sourceUrl);
    const { place, appName } = store;
    const shared = {
      sourceUrl,
      appName,
      seed,
      mode,
      partitions,
      without,
      origin: String(this.origin),
      historyFolder: folder,
    };
    this.pool = new ProcessPool(shared, place, this.history);
    this.scene = new FaultScene(this.clock, this.verifier);
    this.servers = store.faults(this.scene, (target) => this.pool.runningReader(target));
    this.injector = new ProcessFaults(this.servers, this.pool, this.scene).injector;
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
      this.servers.close();
      this.truth.close();
    }
    this.history.advance();
    this.verifier.conclude();
    const { longestUndisturbedMs } = this.verifier.times;
    if (longestUndisturbedMs > UNDISTURBED_MAX_MS)
      this.failures.push(
        `an invalidation took ${longestUndisturbedMs.toFixed(0)} ms: other processes hold it up for a lease at most`,
      );
    if (found) this.failures.push(...slowness(found));
    this.failures.push(...this.pool.unexpectedEnds.map(({ how }) => how));
    const [first] = this.verifier.violations;
    return {
      verifier: this.verifier,
      faults: this.scene.counts,
      events: this.scene.events,
      startedProcesses: this.pool.startedCount,
      seconds,
      convergence: found,
      timeline: first ? timeline(this.folder, first, this.scene.events) : [],
      failures: this.failures,
    };
  }

  /** Injects the scheduled faults while the growing history is judged; resolves with how many seconds that took. */
  private async disturb(): Promise<number> {
    const beganAt = performance.now();
    const forMs = this.options.seconds * 1000;
    const { seed, topology } = this.options;
    const { timed, inTurn } = scheduleFaults(seed, forMs, this.options.faults, topology);
    const faults = [...timed];
    const isOver = () => performance.now() - beganAt >= forMs || this.hasToEnd();
    if (inTurn) this.injector.injectInTurn(inTurn, CALM_MS, () => !isOver());
    let saidAt = beganAt;
    while (!isOver()) {
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
    const [defect] = this.injector.defects;
    if (defect) throw defect; // the checker could not do what it had to
    return (performance.now() - beganAt) / 1000;
  }

  private async comeToRest(): Promise<Convergence> {
    const { store } = this;
    const found = await convergence(this.pool.all, this.truth, () => store.primaries(), store.appName);
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

/** What takes too long although no fault lasts any more. */
function slowness({ recoveredMs, invalidationMs }: Convergence): string[] {
  const found: string[] = [];
  if (recoveredMs > RECOVERED_MAX_MS)
    found.push(`a process was served by the store only ${recoveredMs.toFixed(0)} ms after the last fault had ended`);
  if (invalidationMs > INVALIDATION_MAX_MS)
    found.push(`at rest the fastest of five invalidations of a process took ${invalidationMs.toFixed(0)} ms`);
  return found;
}
