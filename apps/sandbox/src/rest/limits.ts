import type { EventAllocation } from '../events/event-allocation.js';
import type { ObjectDefinition } from '../org/object-definition.js';
import { notFound } from '../org/org.errors.js';
import type { ApiAnswer, ApiCall } from './api-call.js';
import { requireVersion } from './api-versions.js';
import { requireMethod } from './call-checks.js';

/** The counters behind the limits, and the objects that the user may read. */
export interface LimitsContext {
  readonly allocation: EventAllocation;
  readonly usage: { readonly used: number; readonly max: number };
  readonly mayRead: (object: ObjectDefinition) => boolean;
}

/** `/limits` and `/limits/recordCount?sObjects=…`; no other resource lies below. */
export function limits(call: ApiCall, context: LimitsContext): ApiAnswer {
  const [, kind, ...rest] = call.path;
  if (rest.length > 0 || (kind !== undefined && kind !== 'recordCount')) throw notFound();
  requireMethod(call, 'GET');
  return { status: 200, body: kind === undefined ? orgLimits(context) : recordCounts(call, context) };
}

function orgLimits({ usage, allocation }: LimitsContext): unknown {
  const of = (max: number, used: number) => ({ Max: max, Remaining: Math.max(0, max - used) });
  return {
    DailyApiRequests: of(usage.max, usage.used),
    DailyDeliveredPlatformEvents: of(allocation.max, allocation.used),
  };
}

/**
 * Counts the records of each named object, or of all objects, without deleted ones. It skips a name that no object of
 * the org has, and reports no error (REST API guide, "Record Count"). Salesforce's counts may be old; these are not.
 */
function recordCounts(call: ApiCall, { mayRead }: LimitsContext): unknown {
  requireVersion(call.version, 40);
  const { org } = call.transaction;
  const named = (call.query.get('sObjects') ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  const objects =
    named.length === 0
      ? org.schema.objects()
      : [...new Set(named.map((name) => org.schema.object(name)))].filter((object) => object !== undefined);
  const counted = objects.filter((object) => object.traits.isEvent !== true && mayRead(object));
  return { sObjects: counted.map(({ name }) => ({ count: org.records(name).length, name })) };
}
