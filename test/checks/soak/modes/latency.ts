import { elapse } from '../../../support/eventually.js';
import { SteadyLoad } from '../../../support/steady-load.js';
import { Deployment, type Slot, type Transport } from '../deployment/deployment.js';
import { Freshness } from '../judge/freshness.js';
import { Changes } from '../load/changes.js';
import { readPage, shownVersion, warm, type Marker } from '../load/markers.js';
import { Choice } from '../../choice.js';
import { Universe } from '../load/universe.js';
import type { SoakOptions } from '../options.js';

/** Number of changes a second during the measurement, of which `PROBES_PER_SECOND` are measured. */
export const CHANGES_PER_SECOND = 200;
const PROBES_PER_SECOND = 8;
const BACKGROUND_READS_PER_SECOND = 80;
const ORDERS_PER_CUSTOMER = 30;
const PROBE_ORDERS = 8;
/** Pause between two reads of a probed page; each BFF is read over one connection. */
const LOOK_MS = 2;
const GIVEN_UP_MS = 5_000;
const WARM_UP_MS = 3_000;

/**
 * How soon after a change its old value could no longer be read. Times are milliseconds after Salesforce's answer to
 * the change, sorted by length.
 */
export interface LatencyOutcome {
  readonly transport: Transport;
  readonly seconds: number;
  readonly changesPerSecond: number;
  readonly backgroundReadsPerSecond: number;
  /** Until the last BFF's first answer with the new value had arrived; this includes the fetch of the new value. */
  readonly newValueMs: readonly number[];
  /** Until the last answer with the old value had arrived from any BFF; 0 if none did. */
  readonly oldValueMs: readonly number[];
  readonly givenUp: number;
  /** Background changes that Salesforce did not acknowledge. */
  readonly failedChanges: number;
}

/** Measures, at a steady rate of changes, the time from a change's acknowledgement to "unservable in every BFF". */
export async function measureLatency(options: SoakOptions, transport: Transport): Promise<LatencyOutcome> {
  const { bffs, workers, seed } = options;
  const deployment = await Deployment.start({ transport, bffs, workers, latencyMs: 0, reconcileSeconds: 0 });
  try {
    const universe = await Universe.load(deployment.org);
    const choice = new Choice(seed);
    const changes = new Changes(deployment.org, universe, new Freshness(Infinity));
    for (const account of universe.accounts.values())
      for (let i = 0; i < ORDERS_PER_CUSTOMER; i++) await changes.newOrder(account, choice);
    const orders = [...universe.orders.values()].filter(({ items }) => items.size > 0);
    const probes = orders.splice(0, PROBE_ORDERS).map((order): Marker => {
      const [item = ''] = order.items;
      const customer = universe.customerOf(order.account) ?? 1;
      const page = { path: `/api/orders/${order.id}`, customer };
      return { entityName: 'OrderItem', fact: `OrderItem ${item}`, page, change: () => changes.changeItem(item) };
    });
    const items = orders.flatMap((order) => [...order.items]);
    const pages = orders.map(({ id, account }) => ({
      path: `/api/orders/${id}`,
      customer: universe.customerOf(account) ?? (1 as const),
    }));
    for (const page of pages) await warm(deployment, page);
    const writes = new SteadyLoad(CHANGES_PER_SECOND - PROBES_PER_SECOND, (n) =>
      changes.changeItem(items[n % items.length] ?? ''),
    );
    const reads = new SteadyLoad(BACKGROUND_READS_PER_SECOND, (n) => {
      const slot = deployment.bffs[n % deployment.bffs.length] as Slot;
      return readPage(
        deployment,
        slot,
        pages[Math.floor(n / deployment.bffs.length) % pages.length] ?? { path: '/', customer: 1 },
      );
    });
    await elapse(WARM_UP_MS);
    const beganAt = performance.now();
    const found = await probeFor(options.seconds, deployment, universe, probes);
    const endedAt = performance.now();
    await Promise.all([writes.stop(), reads.stop()]);
    const seconds = (endedAt - beganAt) / 1000;
    const done = writes.between(beganAt, endedAt);
    const failedChanges = done.filter(({ error }) => error !== undefined).length;
    const perSecond = (n: number) => Math.round(n / seconds);
    return {
      transport,
      seconds: Math.round(seconds),
      changesPerSecond: perSecond(done.length - failedChanges + found.newValueMs.length),
      backgroundReadsPerSecond: perSecond(reads.between(beganAt, endedAt).length),
      failedChanges,
      ...found,
    };
  } finally {
    await deployment.close();
  }
}

async function probeFor(seconds: number, deployment: Deployment, universe: Universe, probes: readonly Marker[]) {
  const newValueMs: number[] = [];
  const oldValueMs: number[] = [];
  let givenUp = 0;
  const until = performance.now() + seconds * 1000;
  for (let n = 0; performance.now() < until; n++) {
    const nextAt = performance.now() + 1000 / PROBES_PER_SECOND;
    const marker = probes[n % probes.length] as Marker;
    await warm(deployment, marker.page);
    const version = universe.lastVersion(marker.fact) + 1;
    let acknowledgedAt = Infinity;
    // The readers start before the change is sent, so the first milliseconds are not missed.
    const readers = deployment.bffs.map((slot) => untilNew(deployment, slot, marker, version));
    await marker.change().then(() => (acknowledgedAt = performance.now()));
    const seen = await Promise.all(readers);
    if (seen.some(({ newAt }) => newAt === undefined)) givenUp += 1;
    else {
      newValueMs.push(Math.max(0, ...seen.map(({ newAt }) => (newAt ?? 0) - acknowledgedAt)));
      oldValueMs.push(Math.max(0, ...seen.map(({ oldAt }) => oldAt - acknowledgedAt)));
    }
    await elapse(Math.max(0, nextAt - performance.now()));
  }
  const sorted = (values: number[]) => values.sort((a, b) => a - b);
  return { newValueMs: sorted(newValueMs), oldValueMs: sorted(oldValueMs), givenUp };
}

/**
 * Reads the page repeatedly over one connection. Resolves with when the last answer with an older version arrived, and
 * the first with this version; without the latter if that takes too long.
 */
async function untilNew(deployment: Deployment, slot: Slot, marker: Marker, version: number) {
  let oldAt = 0;
  for (const deadline = performance.now() + GIVEN_UP_MS; performance.now() < deadline; await elapse(LOOK_MS)) {
    const shown = await shownVersion(deployment, slot, marker);
    if (shown >= version) return { oldAt, newAt: performance.now() };
    oldAt = performance.now();
  }
  return { oldAt, newAt: undefined };
}
