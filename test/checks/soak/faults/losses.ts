import { elapse } from '../../../support/eventually.js';
import type { Deployment, Slot } from '../deployment/deployment.js';
import type { Load } from '../load/load.js';
import { changeSurely, readPage, shownVersion, warm, type Marker } from '../load/markers.js';
import { Choice } from '../../choice.js';
import type { Universe } from '../load/universe.js';

/** The outcome of one event that was never delivered. */
export interface Loss {
  readonly what: string;
  /**
   * Whether a BFF still showed the old value 400 ms (`PROVOKED_MS`) later; otherwise something else had already dropped
   * it.
   */
  readonly isProvoked: boolean;
  /**
   * From Salesforce's acknowledgement until no BFF showed the old value, but at least `PROVOKED_MS`; undefined if the
   * deadline passed before.
   */
  readonly repairedAfterMs: number | undefined;
}

const LOOK_MS = 50;
const PROVOKED_MS = 400;
/**
 * How long to wait after the last delivered change before the first loss. The times of rows and events are whole
 * seconds, so a loss in the same second as a delivered event cannot be distinguished from it.
 */
const SAME_SECOND_MS = 1_100;
const WRITE_MS = 10_000;

/** A change without an event, and a check whether a BFF still shows the old state. */
export interface Trial {
  readonly what: string;
  /** Makes every BFF cache the page as it is. */
  warm(): Promise<void>;
  lose(): Promise<void>;
  isShownOld(slot: Slot): Promise<boolean>;
}

/**
 * Loses one event of each kind, nearly at once: updates of each object, and the creation and the deletion of an order.
 * Writers pause until all losses are repaired, so that no other change drops the old values. Resolves then, or at the
 * deadline.
 */
export async function loseEvents(
  deployment: Deployment,
  universe: Universe,
  load: Load,
  markers: readonly Marker[],
  withinMs: number,
): Promise<Loss[]> {
  const trials = [
    ...markers.map((marker) => markerTrial(deployment, universe, marker)),
    creationTrial(deployment, universe),
    await deletionTrial(deployment, universe, load),
  ];
  return runTrials(deployment, load, trials, withinMs);
}

/** Carries out the trials one after the other while writers pause, and waits for the outcomes. */
export function runTrials(
  deployment: Deployment,
  load: Load,
  trials: readonly Trial[],
  withinMs: number,
): Promise<Loss[]> {
  return load.withWritersPaused(async () => {
    await elapse(SAME_SECOND_MS);
    const begun: { trial: Trial; at: number }[] = [];
    for (const trial of trials) {
      await trial.warm();
      await trial.lose();
      begun.push({ trial, at: performance.now() });
      await deployment.org.fault({ fault: 'drop-events', count: 0 });
    }
    return Promise.all(begun.map(({ trial, at }) => outcomeOf(deployment, trial, at, withinMs)));
  });
}

async function outcomeOf(deployment: Deployment, trial: Trial, at: number, withinMs: number): Promise<Loss> {
  let isProvoked = false;
  for (;;) {
    const old = await Promise.all(deployment.bffs.map((slot) => trial.isShownOld(slot)));
    const ms = performance.now() - at;
    isProvoked ||= ms > PROVOKED_MS && old.includes(true);
    if (!old.includes(true) && ms > PROVOKED_MS) return { what: trial.what, isProvoked, repairedAfterMs: ms };
    if (ms > withinMs) return { what: trial.what, isProvoked: true, repairedAfterMs: undefined };
    await elapse(LOOK_MS);
  }
}

function markerTrial(deployment: Deployment, universe: Universe, marker: Marker): Trial {
  let version = 0;
  return {
    what: `update of ${marker.entityName}`,
    warm: () => warm(deployment, marker.page),
    lose: async () => {
      await loseNext(deployment, marker.entityName);
      await changeSurely(marker, WRITE_MS);
      version = universe.lastVersion(marker.fact);
    },
    isShownOld: async (slot) => (await shownVersion(deployment, slot, marker)) < version,
  };
}

function creationTrial(deployment: Deployment, universe: Universe): Trial {
  const page = { path: '/api/orders', customer: 1 } as const;
  let id = '';
  return {
    what: 'creation of Order',
    warm: () => warm(deployment, page),
    lose: async () => {
      const { org } = deployment;
      // No order line is created: its event would be delivered, name the order, and drop the list.
      await loseNext(deployment, 'Order');
      id = await org.create('Order', {
        AccountId: universe.accounts.get(1),
        Pricebook2Id: universe.pricebook,
        EffectiveDate: '2026-02-02',
        Status: 'Draft',
      });
      universe.orders.set(id, { id, account: universe.accounts.get(1) ?? '', items: new Set(), isOurs: true });
    },
    isShownOld: async (slot) => !rowsOf(await readPage(deployment, slot, page)).includes(id),
  };
}

async function deletionTrial(deployment: Deployment, universe: Universe, load: Load): Promise<Trial> {
  const page = { path: '/api/orders', customer: 2 } as const;
  const order = await load.changes.newOrder(universe.accounts.get(2) ?? '', new Choice(1));
  universe.orders.delete(order.id); // so that no writer of the load changes it
  return {
    what: 'deletion of Order',
    warm: () => warm(deployment, page),
    lose: () => deployment.org.fault({ fault: 'hard-delete', entityName: 'Order', recordId: order.id }),
    isShownOld: async (slot) => rowsOf(await readPage(deployment, slot, page)).includes(order.id),
  };
}

/** Loses the next event of the object. */
export function loseNext(deployment: Deployment, entityName: string): Promise<void> {
  return deployment.org.fault({ fault: 'drop-events', count: 1, entityName });
}

/** The ids of the rows in a list. */
export function rowsOf(body: unknown): unknown[] {
  return Array.isArray(body) ? body.map((row: { id?: unknown }) => row.id) : [];
}
