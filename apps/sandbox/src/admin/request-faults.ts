import { z } from 'zod';
import { count, fault, milliseconds } from './fault.js';
import { TARGETS } from './latency.js';
import { refusalNames } from './refusals.js';

const target = z.enum(TARGETS);

/** Faults of single calls: refused, cut off, slow, or without a valid token. */
export const requestFaults = {
  refuse: fault({
    fields: z.object({ target, error: z.string().default('unavailable'), count }).check((context) => {
      const { target: part, error } = context.value;
      const names = refusalNames(part);
      if (names.includes(error)) return;
      const message = `${part} cannot answer with "${error}", only with ${names.join(', ')}`;
      context.issues.push({ code: 'custom', path: ['error'], message, input: error });
    }),
    does: 'The next `count` calls to `target` are refused; without `error` because the service is unavailable (503, UNAVAILABLE).',
    example: { target: 'rest', error: 'request-limit', count: 3 },
    apply: (order, { refusals }) => {
      refusals.order(order.target, order.error, order.count);
      return { calls: order.count, error: order.error };
    },
    inForce: ({ refusals }) => refusals.pending,
    end: ({ refusals }) => refusals.clear(),
  }),
  latency: fault({
    fields: z.object({ target: target.optional(), ms: milliseconds }),
    does: 'Calls to `target` take so long from now on; without `target` queries, record calls and billing calls. Events are made late by `delay-events`.',
    example: { target: 'rest', ms: 2000 },
    apply: (order, { latency }) => {
      latency.set(order.ms, order.target);
      return { ms: order.ms };
    },
    inForce: ({ latency }) => latency.changed,
    end: ({ latency }) => latency.reset(),
  }),
  'revoke-tokens': fault({
    fields: z.object({}),
    does: 'Every access token of the org ends: REST answers 401, held connects `401::Authentication invalid`, new gRPC calls UNAUTHENTICATED. Open gRPC streams go on, as with Salesforce.',
    example: {},
    apply: (_order, { sessions }) => ({ tokens: sessions.revokeAll() }),
  }),
};
