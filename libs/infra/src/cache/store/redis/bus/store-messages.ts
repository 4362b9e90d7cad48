import type { Dependency } from '../../../dependencies.js';
import type { LeaseEnd } from '../../../protocol/cache-store.js';
import type { Moment } from '../partition/partition.js';

/** Parses the end of a lease, as `wake` in `_partition.lua` publishes it; undefined for any other text. */
export function parseWakeMessage(text: string): LeaseEnd | undefined {
  const [key, leaseId, outcome, code, message] = text.split('\0');
  if (!key || !leaseId) return undefined;
  return outcome === 'F'
    ? { key, leaseId, failure: { code: code || undefined, message: message ?? '' } }
    : { key, leaseId };
}

/** One invalidation of one partition, as `announce` in `_partition.lua` publishes it. */
export interface BusInvalidation extends Moment {
  readonly previousTip: string;
  readonly dependencies: readonly Dependency[] | '*';
  /** The process that waits for acknowledgements; undefined if none does. */
  readonly requester: string | undefined;
}

/** Parses a bus message `"I clk tip prev rq born\ndep\0dep"`; undefined for messages of another kind. */
export function parseBusMessage(text: string): BusInvalidation | undefined {
  const newline = text.indexOf('\n');
  const [kind, clock, tip, previousTip, requester, born] = text.slice(0, newline).split(' ');
  if (kind !== 'I' || !tip || !previousTip || !born) return undefined;
  const body = text.slice(newline + 1);
  const dependencies = body === '*' ? body : body === '' ? [] : (body.split('\0') as Dependency[]);
  return {
    clock: Number(clock),
    tip,
    born: Number(born),
    previousTip,
    dependencies,
    requester: requester === '-' ? undefined : requester,
  };
}
