import { elapse } from '../../../support/eventually.js';
import type { Deployment, Slot } from '../deployment/deployment.js';
import { jsonOf } from '../deployment/http-client.js';
import { NotAcknowledgedError } from '../deployment/sandbox-client.js';
import { factsOf, type Fact } from '../judge/facts.js';
import type { Page } from '../judge/truth.js';
import type { Changes } from './changes.js';
import type { Universe } from './universe.js';

const LOOK_MS = 10;
const READ_MS = 40_000;

/** A record that no other writer changes, the way to change it, and the page that shows the change. */
export interface Marker {
  readonly entityName: 'OrderItem' | 'Order' | 'Product2' | 'PricebookEntry' | 'Account';
  readonly fact: Fact;
  readonly page: Page;
  change(): Promise<void>;
}

/** One marker for each object whose changes are delivered. */
export function markersOf(universe: Universe, changes: Changes): readonly Marker[] {
  const { customer, account, order, itemOrder, product, priced } = universe.reserved;
  const [item = ''] = itemOrder.items;
  const orderPage = ({ id }: { readonly id: string }) => ({ path: `/api/orders/${id}`, customer });
  const page = (path: string) => ({ path, customer });
  return [
    {
      entityName: 'OrderItem',
      fact: `OrderItem ${item}`,
      page: orderPage(itemOrder),
      change: () => changes.changeItem(item),
    },
    {
      entityName: 'Order',
      fact: `Order ${order.id}`,
      page: orderPage(order),
      change: () => changes.changeOrder(order),
    },
    {
      entityName: 'Product2',
      fact: `Product2 ${product.id}`,
      page: page('/api/catalog/vpn'),
      change: () => changes.changeProduct(product),
    },
    {
      entityName: 'PricebookEntry',
      fact: `PricebookEntry ${priced.id}`,
      page: page('/api/catalog/voice'),
      change: () => changes.changePrice(priced),
    },
    {
      entityName: 'Account',
      fact: `Account ${account}`,
      page: page('/api/catalog/eligibility'),
      change: () => changes.changeAccount(account),
    },
  ];
}

/** Reads the page twice through every BFF, so that each of them holds it. */
export async function warm(deployment: Deployment, page: Page): Promise<void> {
  for (let round = 0; round < 2; round++)
    await Promise.all(deployment.bffs.map((slot) => readPage(deployment, slot, page)));
}

/** Repeats a change until Salesforce has acknowledged it, for at most `withinMs`. */
export async function changeSurely(marker: Marker, withinMs: number): Promise<void> {
  for (const deadline = performance.now() + withinMs; ; await elapse(LOOK_MS * 10)) {
    try {
      return await marker.change();
    } catch (error) {
      if (!(error instanceof NotAcknowledgedError) || performance.now() > deadline) throw error;
    }
  }
}

/**
 * Changes one marker after the other, and waits each time until every BFF shows the change. Then all earlier events of
 * its object are applied. Resolves with the duration in milliseconds.
 */
export async function markersSeen(
  deployment: Deployment,
  universe: Universe,
  markers: readonly Marker[],
  withinMs: number,
): Promise<number> {
  const beganAt = performance.now();
  for (const marker of markers) {
    await warm(deployment, marker.page);
    await changeSurely(marker, withinMs);
    const left = withinMs - (performance.now() - beganAt);
    await seenEverywhere(deployment, marker, universe.lastVersion(marker.fact), left);
  }
  return performance.now() - beganAt;
}

/** Resolves when every BFF shows the marker at this version. */
export async function seenEverywhere(
  deployment: Deployment,
  marker: Marker,
  version: number,
  withinMs: number,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (const [bff, slot] of deployment.bffs.entries()) {
    while ((await shownVersion(deployment, slot, marker)) < version) {
      if (performance.now() > deadline)
        throw new Error(
          `BFF ${bff} does not show ${marker.fact} at version ${version} after ${Math.round(withinMs)} ms`,
        );
      await elapse(LOOK_MS);
    }
  }
}

/** The version at which the BFF shows the marker; -1 if it shows none, or does not answer. */
export async function shownVersion(deployment: Deployment, slot: Slot, { page, fact }: Marker): Promise<number> {
  const body = await readPage(deployment, slot, page);
  return factsOf(body).find((seen) => seen.fact === fact)?.version ?? -1;
}

/** The page's body; undefined if the BFF did not answer with one. */
export async function readPage({ tokens }: Deployment, { http }: Slot, { path, customer }: Page): Promise<unknown> {
  const headers = { authorization: `Bearer ${tokens.get(customer)}` };
  const answer = await http.call(path, { headers, timeoutMs: READ_MS }).catch(() => undefined);
  return answer?.status === 200 ? jsonOf(answer) : undefined;
}
