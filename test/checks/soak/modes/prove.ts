import { elapse } from '../../../support/eventually.js';
import { Deployment, type DeploymentOptions, type Transport } from '../deployment/deployment.js';
import { loseEvents } from '../faults/losses.js';
import { compareAll } from '../judge/comparison.js';
import { Freshness } from '../judge/freshness.js';
import { Load } from '../load/load.js';
import { markersOf } from '../load/markers.js';
import { Universe } from '../load/universe.js';
import type { SoakOptions } from '../options.js';

const LATENCY_MS = 5;
const LOAD = { writers: 4, readers: 6, writeRestMs: 30, readRestMs: 20 } as const;
const LOAD_MS = 6_000;
const SETTLE_MS = 4_000;
/**
 * The freshness bound where reads are judged. It is short, because other changes drop the same pages repeatedly, so
 * that no page stays wrong for long.
 */
const BOUND_MS = 1_000;
const JUDGED_MS = 12_000;
const LOSS_MS = 5_000;

/** A deliberate fault. */
interface Plant {
  readonly name: string;
  readonly workerEnv?: Readonly<Record<string, string>>;
  /** Looks for the fault, and resolves with the problems found. If there are none, the fault was not noticed. */
  find(run: PlantedRun): Promise<readonly string[]>;
}

interface PlantedRun {
  readonly deployment: Deployment;
  readonly universe: Universe;
  readonly load: Load;
  readonly freshness: Freshness;
}

const PLANTS: readonly Plant[] = [
  {
    name: 'changes of orders are not heard (their channel is set to that of accounts)',
    workerEnv: { SF_ORDER_CDC_CHANNEL: '/data/AccountChangeEvent' },
    find: compared,
  },
  {
    name: 'all workers stand still',
    find: async (run) => {
      for (const { process } of run.deployment.workers) process.stop();
      return compared(run);
    },
  },
  {
    name: 'reads are judged while changes of orders are not heard',
    workerEnv: { SF_ORDER_CDC_CHANNEL: '/data/AccountChangeEvent' },
    find: async ({ freshness, load }) => {
      freshness.calm(performance.now());
      await elapse(JUDGED_MS);
      await load.stop();
      return freshness.stale.map(
        ({ reader, fact, version, required }) => `${reader}: ${fact} is ${version}, not ${required}`,
      );
    },
  },
  {
    name: 'lost events, and no reconciler',
    find: async ({ deployment, universe, load }) => {
      const losses = await loseEvents(deployment, universe, load, markersOf(universe, load.changes), LOSS_MS);
      return losses
        .filter(({ repairedAfterMs }) => repairedAfterMs === undefined)
        .map(({ what }) => `not repaired: ${what}`);
    },
  },
];

/** Whether every planted fault was found; each is reported. */
export async function prove(
  options: SoakOptions,
  transport: Transport,
  report: (text: string) => void,
): Promise<boolean> {
  let isProven = true;
  for (const plant of PLANTS) {
    const found = await findPlant(options, transport, plant);
    isProven &&= found.length > 0;
    report(`${transport}, ${plant.name}: ${found.length > 0 ? `found (${found.length}): ${found[0]}` : 'NOT FOUND'}`);
  }
  return isProven;
}

async function findPlant(options: SoakOptions, transport: Transport, plant: Plant): Promise<readonly string[]> {
  const { bffs, workers, seed } = options;
  const common: DeploymentOptions = { transport, bffs, workers, latencyMs: LATENCY_MS, reconcileSeconds: 0 };
  const deployment = await Deployment.start(plant.workerEnv ? { ...common, workerEnv: plant.workerEnv } : common);
  try {
    const universe = await Universe.load(deployment.org);
    const freshness = new Freshness(BOUND_MS);
    const load = new Load(deployment, universe, freshness, { seed, ...LOAD });
    const found = await plant.find({ deployment, universe, load, freshness });
    await load.stop();
    return found;
  } finally {
    await deployment.close();
  }
}

async function compared({ deployment, universe, load }: PlantedRun): Promise<readonly string[]> {
  await elapse(LOAD_MS);
  const { mismatches } = await load.withWritersPaused(() => compareAll(deployment, universe.accounts, SETTLE_MS));
  return mismatches;
}
