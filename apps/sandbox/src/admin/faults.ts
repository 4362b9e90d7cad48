import { z } from 'zod';
import type { Cometd } from '../cometd/cometd.js';
import type { ChangeEvents } from '../events/change-events.js';
import type { Sessions } from '../oauth/sessions.js';
import type { Org } from '../org/org.js';
import type { Latency } from './latency.js';
import type { Refusals } from './refusals.js';

const count = z.int().min(0).max(1_000_000);

/** What can be made to go wrong, as `POST /sandbox/faults` takes it. `README.md` says what each one shows. */
export const faultSchema = z.discriminatedUnion('fault', [
  z.strictObject({ fault: z.literal('kill-sessions') }),
  z.strictObject({ fault: z.literal('revoke-tokens') }),
  z.strictObject({ fault: z.literal('drop-events'), count }),
  z.strictObject({ fault: z.literal('advance-clock'), ms: z.int().min(0) }),
  z.strictObject({ fault: z.literal('refuse'), target: z.enum(['rest', 'cometd', 'whmcs']), count }),
  z.strictObject({ fault: z.literal('event-limit'), isExceeded: z.boolean() }),
  z.strictObject({ fault: z.literal('latency'), ms: z.int().min(0).max(60_000) }),
  z.strictObject({
    fault: z.literal('gap'),
    entityName: z.string(),
    changeType: z.enum(['GAP_CREATE', 'GAP_UPDATE', 'GAP_DELETE', 'GAP_UNDELETE', 'GAP_OVERFLOW', 'UPDATE']),
    recordIds: z.array(z.string()).max(1_000).default([]),
  }),
]);

/** One order to make something go wrong. */
export type Fault = z.infer<typeof faultSchema>;

/** What the faults act on. */
export interface FaultTargets {
  readonly org: Org;
  readonly sessions: Sessions;
  readonly cometd: Cometd;
  readonly events: ChangeEvents;
  readonly latency: Latency;
  readonly refusals: Refusals;
}

/** Does what the order says and returns what it affected, for the answer. */
export function applyFault(fault: Fault, targets: FaultTargets): Record<string, unknown> {
  switch (fault.fault) {
    case 'kill-sessions':
      return { sessions: targets.cometd.killSessions() };
    case 'revoke-tokens':
      return { tokens: targets.sessions.revokeAll() };
    case 'drop-events':
      targets.events.dropNext(fault.count);
      return { events: fault.count };
    case 'advance-clock':
      targets.org.clock.advance(fault.ms);
      return { now: new Date(targets.org.clock.now()).toISOString() };
    case 'refuse':
      targets.refusals.order(fault.target, fault.count);
      return { requests: fault.count };
    case 'event-limit':
      targets.cometd.isDailyLimitExceeded = fault.isExceeded;
      return { isExceeded: fault.isExceeded };
    case 'latency':
      targets.latency.ms = fault.ms;
      return { ms: fault.ms };
    case 'gap':
      targets.events.publishGap(fault);
      return { entityName: fault.entityName };
  }
}
