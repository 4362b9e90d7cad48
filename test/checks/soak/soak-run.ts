import { elapse } from '../../support/eventually.js';
import { Deployment, type Transport } from './deployment/deployment.js';
import { DeploymentFaults } from './faults/deployment-faults.js';
import { scheduleFaults, type Fault } from './faults/fault-schedule.js';
import { loseCoveredEvents } from './faults/covered-losses.js';
import { loseEvents, type Loss } from './faults/losses.js';
import { compareAll, type Comparison } from './judge/comparison.js';
import { Freshness } from './judge/freshness.js';
import { Load } from './load/load.js';
import { markersOf, markersSeen, type Marker } from './load/markers.js';
import { Universe } from './load/universe.js';
import type { SoakOptions } from './options.js';
import { planPhases, type Phase } from './phases.js';

/** How long a query takes in the sandbox: long enough for a change to overtake a fetch. */
const LATENCY_MS = 10;
const LOAD = { writers: 3, readers: 6, writeRestMs: 60, readRestMs: 15 } as const;
/**
 * How long, after faults have ended, change events may take to be up, and then the markers to arrive: time for the
 * back-off of the streams, the expiry of a lease, and the backlog of a burst.
 */
export const RECOVERY_MS = 60_000;
const LOOK_MS = 50;
/**
 * The calm until the next fault must be longer than the freshness bound by this much; otherwise it is not worth
 * judging.
 */
const RECOVERY_WORTH_MS = 2_000;
/**
 * How long a repair may take beyond the reconciler's period: for its queries, the invalidation, and the observation.
 */
export const REPAIR_SLACK_MS = 3_000;
/** Number of events lost in each round of a phase of losses, in addition to the single losses that are observed. */
const LOST_AT_RANDOM = 25;

/** The findings of one phase. */
export interface PhaseOutcome {
  readonly phase: Phase;
  readonly comparison: Comparison;
  readonly losses: readonly Loss[];
  /**
   * How many milliseconds after the end of all faults change events were up and every BFF showed the marker of every
   * object.
   */
  readonly recoveredAfterMs: number;
}

/** The findings of the soak of one transport. */
export interface TransportOutcome {
  readonly transport: Transport;
  readonly phases: readonly PhaseOutcome[];
  readonly load: Load;
  readonly freshness: Freshness;
  readonly faults: DeploymentFaults;
  readonly deliveredEvents: number;
  /** Number of changes that the reconcilers report as missed, added up over the phases. */
  readonly missed: number;
  /**
   * How many milliseconds each recovery took: at the beginning of a phase of faults, and in the calms between its
   * salvos.
   */
  readonly recoveries: readonly number[];
  readonly failures: readonly string[];
}

/** Load and faults over one transport, phase by phase; after each phase everything is healed and compared. */
export async function soak(
  options: SoakOptions,
  transport: Transport,
  say: (text: string) => void,
): Promise<TransportOutcome> {
  const { bffs, workers, seed, boundMs } = options;
  const phases = planPhases(options.seconds / options.transports.length, options.losses ? options.reconcileSeconds : 0);
  const reconcileSeconds = phases[0]?.reconcileSeconds ?? 0;
  const deployment = await Deployment.start({ transport, bffs, workers, latencyMs: LATENCY_MS, reconcileSeconds });
  try {
    const universe = await Universe.load(deployment.org);
    const freshness = new Freshness(boundMs);
    const load = new Load(deployment, universe, freshness, { seed, ...LOAD });
    const faults = new DeploymentFaults(deployment, load, universe);
    const run = new SoakRun(options, deployment, universe, freshness, load, faults, say);
    return await run.run(phases);
  } finally {
    await deployment.close();
  }
}

class SoakRun {
  private readonly markers: readonly Marker[];
  private readonly recoveries: number[] = [];
  private readonly failures: string[] = [];
  private reconcileSeconds: number | undefined;

  constructor(
    private readonly options: SoakOptions,
    private readonly deployment: Deployment,
    private readonly universe: Universe,
    private readonly freshness: Freshness,
    private readonly load: Load,
    private readonly faults: DeploymentFaults,
    private readonly say: (text: string) => void,
  ) {
    this.markers = markersOf(universe, load.changes);
  }

  async run(phases: readonly Phase[]): Promise<TransportOutcome> {
    const outcomes: PhaseOutcome[] = [];
    let missed = 0;
    try {
      for (const [index, phase] of phases.entries()) {
        const outcome = await this.runPhase(phase, index);
        outcomes.push(outcome);
        this.say(phaseLine(this.deployment.transport, outcome));
        for (const text of outcome.comparison.mismatches) this.say(`  ${text}`);
        missed += (await this.deployment.events())?.missed ?? 0;
      }
    } catch (error) {
      this.failures.push(error instanceof Error ? error.message : String(error));
    }
    const { load, faults, deployment, freshness } = this;
    const deliveredEvents = await deployment.org.deliveredEvents().catch(() => 0);
    await load.stop();
    this.failures.push(
      ...deployment.unexpectedEnds,
      ...faults.injector.defects.map(({ message }) => message),
      ...load.defects,
    );
    const { recoveries, failures } = this;
    const { transport } = deployment;
    return { transport, phases: outcomes, load, freshness, faults, deliveredEvents, missed, recoveries, failures };
  }

  private async runPhase(phase: Phase, index: number): Promise<PhaseOutcome> {
    if (this.reconcileSeconds !== undefined && this.reconcileSeconds !== phase.reconcileSeconds) {
      await this.deployment.replaceWorkers(phase.reconcileSeconds);
    }
    this.reconcileSeconds = phase.reconcileSeconds;
    const losses = phase.kind === 'losses' ? await this.lose(phase) : [];
    if (phase.kind === 'faults') await this.disturb(phase, index);
    return this.compare(phase, losses);
  }

  /** Salvos of faults, each followed by a calm in which everything must recover and reads are judged. */
  private async disturb({ seconds }: Phase, index: number): Promise<void> {
    const { seed, faults } = this.options;
    const forMs = seconds * 1000;
    const schedule = scheduleFaults(seed + index, forMs, faults);
    await this.recover();
    const beganAt = performance.now();
    for (let now = 0; now < forMs; now = performance.now() - beganAt) {
      while (schedule[0] && schedule[0].at <= now) {
        this.freshness.disturbed();
        this.faults.injector.inject(schedule.shift() as Fault);
      }
      const restMs = (schedule[0]?.at ?? Infinity) - now;
      const isWorthIt = restMs > this.freshness.boundMs + RECOVERY_WORTH_MS;
      if (!this.freshness.isCalm && this.faults.injector.open === 0 && isWorthIt) await this.recover();
      await elapse(Math.max(1, Math.min(LOOK_MS, restMs)));
    }
  }

  private async recover(): Promise<void> {
    const ms = await this.healed();
    this.recoveries.push(ms);
    this.freshness.calm(performance.now());
  }

  private async lose({ seconds, reconcileSeconds }: Phase): Promise<Loss[]> {
    const { deployment, universe, load, options } = this;
    const withinMs = reconcileSeconds * 1000 + REPAIR_SLACK_MS;
    const until = performance.now() + seconds * 1000;
    const losses: Loss[] = [];
    this.freshness.disturbed(); // lost changes may stay invisible for the reconciler's period
    await this.healed();
    do {
      losses.push(...(await loseEvents(deployment, universe, load, this.markers, withinMs)));
      if (options.coveredLosses) losses.push(...(await loseCoveredEvents(deployment, universe, load, withinMs)));
      await deployment.org.fault({ fault: 'drop-events', count: LOST_AT_RANDOM });
      await elapse(1_000);
    } while (performance.now() < until);
    return losses;
  }

  /**
   * Heals everything and compares. Writers pause meanwhile: a later change would drop entries that the faults left
   * wrong.
   */
  private compare(phase: Phase, losses: readonly Loss[]): Promise<PhaseOutcome> {
    const { deployment, universe, load, faults } = this;
    this.freshness.disturbed();
    return load.withWritersPaused(async () => {
      await faults.injector.ended();
      await deployment.org.endFaults();
      const recoveredAfterMs = await this.healed();
      const withinMs = phase.kind === 'losses' ? phase.reconcileSeconds * 1000 + REPAIR_SLACK_MS : phase.settleMs;
      const comparison = await compareAll(deployment, universe.accounts, withinMs);
      return { phase, comparison, losses, recoveredAfterMs };
    });
  }

  /** Waits until change events are up and every marker has arrived; resolves with how many milliseconds that took. */
  private async healed(): Promise<number> {
    const beganAt = performance.now();
    await this.deployment.isUp(RECOVERY_MS);
    await markersSeen(this.deployment, this.universe, this.markers, RECOVERY_MS);
    return performance.now() - beganAt;
  }
}

function phaseLine(transport: Transport, { phase, comparison, losses, recoveredAfterMs }: PhaseOutcome): string {
  const { mismatches, pages, compared, settledAfterMs, differedAtFirst } = comparison;
  const unrepaired = losses.filter(({ repairedAfterMs }) => repairedAfterMs === undefined).length;
  const lost = losses.length > 0 ? `, ${losses.length} losses (${unrepaired} not repaired)` : '';
  return (
    `${transport}, ${phase.kind} of ${Math.round(phase.seconds)} s: up again after ${Math.round(recoveredAfterMs)} ms; ${pages} pages, ` +
    `${compared} answers, ${differedAtFirst} differed at first, ${mismatches.length} at last (${Math.round(settledAfterMs)} ms)${lost}`
  );
}
