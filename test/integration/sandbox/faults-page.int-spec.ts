import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { checkFault, faultCatalogue } from '../../../apps/sandbox/src/admin/faults.js';
import { PUBSUB_ERROR_NAMES, pubSubError } from '../../../apps/sandbox/src/pubsub/pubsub-errors.js';

describe('the page of the sandbox’s faults', () => {
  const page = readFileSync(fileURLToPath(new URL('../../../docs/operating/sandbox.md', import.meta.url)), 'utf8');
  /** The orders for faults in the first column of the page's tables, where record ids are abbreviated. */
  const orders = [...page.matchAll(/^\| `(\{.*?\})` \|/gm)].map(
    ([, json]) => JSON.parse((json as string).replace(/(\d{3})…/g, '$1000000000000AAA')) as { fault: string },
  );

  it('has every fault once, and none that is not', () => {
    const names = faultCatalogue().map(({ fault }) => fault);
    expect(orders.map(({ fault }) => fault).sort()).toEqual([...names].sort());
  });

  it.each(orders)('shows an order that is one: %j', (order) => {
    expect(checkFault(order)).toMatchObject({ name: order.fault });
  });

  it('names the errors of the Pub/Sub API with their status and code', () => {
    const rows = [...page.matchAll(/^\| `([\w-]+)` \| ([A-Z_]+) \| `([\w.]+)` \|$/gm)].map(([, ...row]) => row);
    const errors = PUBSUB_ERROR_NAMES.map((name) => {
      const { code, metadata } = pubSubError(name);
      const errorCode = String(metadata.get('error-code')[0]).replace('sfdc.platform.eventbus.grpc.', '');
      return [name, status[code], errorCode];
    });
    expect(rows).toEqual(errors);
  });
});
