import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { PUBSUB_ERROR_NAMES } from '../pubsub/pubsub-errors.js';
import { count, fault, milliseconds } from './fault.js';

const transport = z.enum(['cometd', 'pubsub']);

/** Faults of the two event streams, CometD and Pub/Sub. */
export const streamFaults = {
  'kill-sessions': fault({
    fields: z.object({}),
    does: 'CometD forgets its clients: `403::Unknown client`, they have to shake hands again.',
    example: {},
    apply: (_order, { cometd }) => ({ sessions: cometd.killSessions() }),
  }),
  'end-streams': fault({
    fields: z.object({ error: z.enum(PUBSUB_ERROR_NAMES).optional(), topic: z.string().max(200).optional() }),
    does: 'Every Pub/Sub stream (of `topic`, if named) ends with this error; without `error` as if the server had finished (status OK).',
    example: { error: 'unavailable' },
    apply: (order, { pubSub }) => ({ streams: pubSub.endStreams(order.error, order.topic) }),
  }),
  'drop-connections': fault({
    fields: z.object({ transport, next: count.default(0) }),
    does: 'Open connections of this transport are cut without a word, and the `next` ones when they come.',
    example: { transport: 'pubsub', next: 0 },
    apply: (order, { cometd, listener, refusals }) => {
      if (order.transport === 'pubsub') return { connections: listener.drop(order.next) };
      refusals.order('cometd', 'connection-dropped', order.next);
      return { connections: cometd.dropHeld() };
    },
    inForce: ({ listener }) => (listener.dropsLeft > 0 ? { next: listener.dropsLeft } : undefined),
    end: ({ listener }) => (listener.dropsLeft = 0),
  }),
  silence: fault({
    fields: z.object({ transport, isOn: z.boolean() }),
    does: 'The transport stays connected and says nothing any more, neither events nor keep-alives, until it is switched off again.',
    example: { transport: 'pubsub', isOn: true },
    apply: (order, { cometd, pubSub }) => {
      const stream = order.transport === 'cometd' ? cometd : pubSub;
      stream.isSilent = order.isOn;
      return { isOn: order.isOn };
    },
    inForce: ({ cometd, pubSub }) =>
      cometd.isSilent || pubSub.isSilent ? { cometd: cometd.isSilent, pubsub: pubSub.isSilent } : undefined,
    end: ({ cometd, pubSub }) => {
      cometd.isSilent = false;
      pubSub.isSilent = false;
    },
  }),
  'event-limit': fault({
    fields: z.object({ isExceeded: z.boolean() }),
    does: "The day's event deliveries are used up (or not any more): connects are refused with 403, streams end with `limit-exceeded`.",
    example: { isExceeded: true },
    apply: (order, { allocation, cometd, pubSub }) => {
      allocation.isDeclaredExceeded = order.isExceeded;
      cometd.flush();
      return { streams: order.isExceeded ? pubSub.endStreams('limit-exceeded') : 0 };
    },
    inForce: ({ allocation }) => (allocation.isDeclaredExceeded ? { isExceeded: true } : undefined),
    end: ({ allocation }) => (allocation.isDeclaredExceeded = false),
  }),
  timing: fault({
    fields: z.object({
      keepaliveMs: milliseconds.min(10).optional(),
      fetchTimeoutMs: milliseconds.min(10).optional(),
      settleMs: milliseconds.optional(),
      connectTimeoutMs: milliseconds.min(10).optional(),
      cometdSessionTimeoutMs: milliseconds.min(10).optional(),
    }),
    does: 'Other times for what begins from now on: keep-alives, the wait for a request, the gap after LATEST, held connects, sessions.',
    example: { keepaliveMs: 1000 },
    apply: (order, { timing }) => ({ ...Object.assign(timing, order) }),
    inForce: ({ timing, initialTiming }) => (isDeepStrictEqual(timing, initialTiming) ? undefined : timing),
    end: ({ timing, initialTiming }) => void Object.assign(timing, initialTiming),
  }),
};
