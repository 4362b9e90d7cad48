import { elapse } from '../../../support/eventually.js';
import { Deployment, type Slot, type Transport } from '../deployment/deployment.js';
import { compareAll } from '../judge/comparison.js';
import { Freshness } from '../judge/freshness.js';
import { Load } from '../load/load.js';
import { changeSurely, markersOf, markersSeen, seenEverywhere, warm, type Marker } from '../load/markers.js';
import { Choice } from '../../choice.js';
import { Universe } from '../load/universe.js';
import type { SoakOptions } from '../options.js';

const LATENCY_MS = 5;
const LOAD = { writers: 3, readers: 4, writeRestMs: 25, readRestMs: 20 } as const;
/**
 * How long a change may stay invisible after a kill: a stand-by has to take over within 5 s of the death of the active
 * worker.
 */
export const TAKEOVER_MAX_MS = 5_000;
const GIVEN_UP_MS = 30_000;
const SETTLE_MS = 10_000;
const LOOK_MS = 50;
/** Least and greatest time for which the org changes before a kill (`LEAD_MS`) and after it (`TAIL_MS`). */
const LEAD_MS = [100, 1_500] as const;
const TAIL_MS = [0, 500] as const;

/** The results of repeated kills of the active worker. */
export interface TakeoverOutcome {
  readonly transport: Transport;
  /** From each kill until every BFF showed a change that was made soon after it. */
  readonly takeoverMs: readonly number[];
  /** Number of kills that certainly hit the active worker. */
  readonly ofLeader: number;
  /** From each kill until another worker held the lease; kills after which this took more than 30 s are missing. */
  readonly leaseMs: readonly number[];
  readonly compared: number;
  readonly mismatches: readonly string[];
  readonly writes: number;
  readonly reads: number;
  readonly failures: readonly string[];
}

/**
 * Kills the active worker (or any, if none is active) repeatedly while the org changes, with the reconciler off. After
 * each kill the stand-by must take over, everything must settle, and every cached value must equal the org's.
 */
export async function takeovers(
  options: SoakOptions,
  transport: Transport,
  say: (text: string) => void,
): Promise<TakeoverOutcome> {
  const { bffs, workers, seed, kills } = options;
  const deployment = await Deployment.start({ transport, bffs, workers, latencyMs: LATENCY_MS, reconcileSeconds: 0 });
  try {
    const universe = await Universe.load(deployment.org);
    const load = new Load(deployment, universe, new Freshness(Infinity), { seed, ...LOAD });
    const run = new Takeovers(deployment, universe, load, new Choice(seed), say);
    return await run.run(Math.ceil(kills / options.transports.length));
  } finally {
    await deployment.close();
  }
}

class Takeovers {
  private readonly takeoverMs: number[] = [];
  private readonly mismatches: string[] = [];
  private readonly failures: string[] = [];
  private ofLeader = 0;
  private readonly leaseMs: number[] = [];
  private compared = 0;
  private readonly markers: readonly Marker[];

  constructor(
    private readonly deployment: Deployment,
    private readonly universe: Universe,
    private readonly load: Load,
    private readonly choice: Choice,
    private readonly say: (text: string) => void,
  ) {
    this.markers = markersOf(universe, load.changes);
  }

  async run(kills: number): Promise<TakeoverOutcome> {
    const { deployment, load } = this;
    try {
      for (let kill = 1; kill <= kills; kill++) await this.killOne(kill);
    } catch (error) {
      this.failures.push(error instanceof Error ? error.message : String(error));
    }
    await load.stop();
    this.failures.push(...deployment.unexpectedEnds, ...load.defects);
    const { takeoverMs, ofLeader, leaseMs, compared, mismatches, failures } = this;
    const { writeCount: writes, readCount: reads } = load;
    return {
      transport: deployment.transport,
      takeoverMs,
      ofLeader,
      leaseMs,
      compared,
      mismatches,
      writes,
      reads,
      failures,
    };
  }

  private async killOne(kill: number): Promise<void> {
    const { deployment, universe } = this;
    await elapse(this.choice.whole(...LEAD_MS));
    const active = await deployment.activeWorker();
    if (active) this.ofLeader += 1;
    const worker = active ?? this.choice.of(deployment.workers);
    const marker = this.choice.of(this.markers);
    if (!worker || !marker) throw new Error('there is no worker to kill');
    await warm(deployment, marker.page);
    await worker.process.end('SIGKILL');
    const killedAt = performance.now();
    const moved = this.leaseMoved(worker, killedAt);
    await elapse(this.choice.whole(...TAIL_MS));
    // Writers pause from here on: a later change would drop entries that the death has left wrong.
    const found = await this.load.withWritersPaused(async () => {
      await changeSurely(marker, GIVEN_UP_MS);
      await seenEverywhere(deployment, marker, universe.lastVersion(marker.fact), GIVEN_UP_MS);
      this.takenOver(kill, marker, performance.now() - killedAt);
      await moved;
      await deployment.restart(worker);
      await deployment.isUp(GIVEN_UP_MS);
      await markersSeen(deployment, universe, this.markers, GIVEN_UP_MS);
      return compareAll(deployment, universe.accounts, SETTLE_MS);
    });
    this.compared += found.compared;
    this.mismatches.push(...found.mismatches.map((text) => `after kill ${kill}: ${text}`));
    const ms = Math.round(this.takeoverMs.at(-1) ?? 0);
    const { mismatches } = found;
    this.say(`${deployment.transport}, kill ${kill}: taken over after ${ms} ms, ${mismatches.length} mismatches`);
    for (const text of mismatches) this.say(`  ${text}`);
  }

  private takenOver(kill: number, { fact }: Marker, ms: number): void {
    this.takeoverMs.push(ms);
    if (ms > TAKEOVER_MAX_MS)
      this.failures.push(`kill ${kill}: ${fact} was shown out of date for ${Math.round(ms)} ms`);
  }

  /** Waits until another worker holds the lease, and notes how long that took; gives up after `GIVEN_UP_MS`. */
  private async leaseMoved(from: Slot, killedAt: number): Promise<void> {
    while (performance.now() - killedAt < GIVEN_UP_MS) {
      const active = await this.deployment.activeWorker();
      if (active && active !== from) return void this.leaseMs.push(performance.now() - killedAt);
      await elapse(LOOK_MS);
    }
  }
}
