import { z } from 'zod';
import { CHANGE_TYPES } from '../events/change-type.js';
import { count, fault, milliseconds, objectName } from './fault.js';

const recordIds = z
  .array(z.string().regex(/^(\w{15}|\w{18}|\w{3}\*)$/, 'must be a record id, or a wildcard such as 801*'))
  .max(1_000)
  .default([]);

/**
 * Faults of the events themselves: they are lost, repeated, corrupt, late, without content or expired, or the whole
 * stream begins anew.
 */
export const eventFaults = {
  'drop-events': fault({
    fields: z.object({ count, entityName: objectName.optional() }),
    does: 'The next `count` events (of one object, if named) are lost without a trace.',
    example: { count: 1 },
    apply: (order, { changes }) => {
      changes.dropNext(order.count, order.entityName);
      return { events: order.count };
    },
    inForce: ({ changes }) => left(changes.next.drop),
    end: ({ changes }) => changes.dropNext(0),
  }),
  'repeat-events': fault({
    fields: z.object({ count }),
    does: 'The next `count` events are delivered twice, each time with the same replay id.',
    example: { count: 1 },
    apply: (order, { changes }) => {
      changes.next.repeat = order.count;
      return { events: order.count };
    },
    inForce: ({ changes }) => left(changes.next.repeat),
    end: ({ changes }) => (changes.next.repeat = 0),
  }),
  'corrupt-events': fault({
    fields: z.object({ count }),
    does: 'The next `count` events cannot be read: the Avro payload is cut off, the JSON payload is empty. They have their replay ids.',
    example: { count: 1 },
    apply: (order, { changes }) => {
      changes.next.corrupt = order.count;
      return { events: order.count };
    },
    inForce: ({ changes }) => left(changes.next.corrupt),
    end: ({ changes }) => (changes.next.corrupt = 0),
  }),
  'delay-events': fault({
    fields: z.object({ ms: milliseconds }),
    does: 'Events reach the bus so long after their change, in order; 0 ends that.',
    example: { ms: 3000 },
    apply: (order, { delivery }) => {
      delivery.delayMs = order.ms;
      return { ms: order.ms };
    },
    inForce: ({ delivery }) => (delivery.delayMs > 0 ? { ms: delivery.delayMs } : undefined),
    end: ({ delivery }) => delivery.catchUp(),
  }),
  gap: fault({
    fields: z.object({ entityName: objectName, changeType: z.enum(CHANGE_TYPES), recordIds }),
    does: 'An event without content: `GAP_*`, `GAP_OVERFLOW` (its id is the empty one), `UPDATE` with the wildcard `801*`, `SNAPSHOT`.',
    example: { entityName: 'Order', changeType: 'GAP_OVERFLOW' },
    apply: (order, { changes }) => {
      changes.publishHeader(order);
      return { entityName: order.entityName };
    },
  }),
  'advance-clock': fault({
    fields: z.object({ ms: z.int().min(0).optional(), to: z.iso.datetime().optional() }).check((context) => {
      const { ms, to } = context.value;
      if ((ms === undefined) !== (to === undefined)) return;
      context.issues.push({ code: 'custom', path: ['ms'], message: 'give either ms or to', input: ms });
    }),
    does: 'Time passes for records and events (not for sessions): after 72 hours events have expired. By `ms`, or on to a time in UTC; never back.',
    example: { ms: 262_800_000 },
    apply: ({ ms, to }, { org: { clock } }) => {
      clock.advance(ms ?? Math.max(0, Date.parse(to as string) - clock.now()));
      return { now: new Date(clock.now()).toISOString() };
    },
  }),
  'reset-stream': fault({
    fields: z.object({}),
    does: 'The org moves to another instance: every connection ends, kept events are gone, replay ids start elsewhere, so that saved ones are invalid.',
    example: {},
    apply: (_order, { log, cometd, pubSub }) => {
      log.reset();
      return { sessions: cometd.killSessions(), streams: pubSub.endStreams('unavailable') };
    },
  }),
};

function left(events: number): { readonly events: number } | undefined {
  return events > 0 ? { events } : undefined;
}
