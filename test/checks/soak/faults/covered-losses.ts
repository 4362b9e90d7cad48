import type { Deployment } from '../deployment/deployment.js';
import type { Load } from '../load/load.js';
import { readPage, warm } from '../load/markers.js';
import { Choice } from '../../choice.js';
import type { Universe } from '../load/universe.js';
import { loseNext, rowsOf, runTrials, type Loss, type Trial } from './losses.js';

/**
 * Loses the event of an order that moves to another account; the event of its next change is delivered. The time stamp
 * of a row is that of its last change and does not reveal the missing event, so the reconciler has to compare values.
 * Resolves as `loseEvents` does.
 */
export async function loseCoveredEvents(
  deployment: Deployment,
  universe: Universe,
  load: Load,
  withinMs: number,
): Promise<Loss[]> {
  return runTrials(deployment, load, [await movedOrder(deployment, universe, load)], withinMs);
}

async function movedOrder(deployment: Deployment, universe: Universe, load: Load): Promise<Trial> {
  const page = { path: '/api/orders', customer: 2 } as const;
  const order = await load.changes.newOrder(universe.accounts.get(1) ?? '', new Choice(2));
  universe.orders.delete(order.id); // so that no writer of the load changes it
  return {
    what: 'move of Order, before an update that was heard',
    warm: () => warm(deployment, page),
    lose: async () => {
      await loseNext(deployment, 'Order');
      await deployment.org.update('Order', order.id, { AccountId: universe.accounts.get(2) });
      await deployment.org.update('Order', order.id, { Status: 'Approved' });
    },
    isShownOld: async (slot) => !rowsOf(await readPage(deployment, slot, page)).includes(order.id),
  };
}
