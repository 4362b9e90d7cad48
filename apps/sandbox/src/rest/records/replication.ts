import type { OrgRecord } from '../../org/field-definition.js';
import type { ObjectDefinition } from '../../org/object-definition.js';
import { SalesforceFault } from '../../org/org.errors.js';
import type { ApiCall } from '../api-call.js';

/** Deletions are listed for 15 days, and a start more than 30 days ago is refused (REST API guide, "Get Deleted"). */
const DAYS = { deleted: 15, start: 30 };
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * `/sobjects/X/deleted/?start=…&end=…` and `…/updated/…`: the ids of records that were deleted, or created or changed,
 * from `start` (included) to `end` (excluded). The seconds of both are ignored ("the API ignores the seconds portion").
 * Throws INVALID_REPLICATION_DATE for wrong times.
 */
export function replicated(
  call: ApiCall,
  object: ObjectDefinition,
  kind: 'deleted' | 'updated',
): Record<string, unknown> {
  const { org } = call.transaction;
  const now = org.clock.now();
  const [start, end] = [timeOf(call, 'start'), timeOf(call, 'end')];
  if (start >= end) throw invalid('endDate must be chronologically at least one minute after the startDate');
  if (now - start > DAYS.start * DAY_MS) throw invalid('startDate before org replication enabled date');
  const isDeleted = kind === 'deleted';
  const inTime = (record: OrgRecord): boolean => {
    const at = Date.parse(String(record['SystemModstamp']));
    if (record['IsDeleted'] !== isDeleted || at < start || at >= end) return false;
    return !isDeleted || now - at <= DAYS.deleted * DAY_MS;
  };
  const found = [...org.table(object).all()].filter(inTime);
  const latestDateCovered = stamp(Math.min(end, now));
  if (!isDeleted) return { ids: found.map((record) => record.Id), latestDateCovered };
  const deletedRecords = found.map((record) => ({
    id: record.Id,
    deletedDate: stamp(Date.parse(String(record['SystemModstamp']))),
  }));
  return { deletedRecords, earliestDateAvailable: stamp(now - DAYS.deleted * DAY_MS), latestDateCovered };
}

function timeOf(call: ApiCall, name: 'start' | 'end'): number {
  // A plus that was not encoded arrives as a space.
  const text = call.query.get(name)?.replace(' ', '+') ?? '';
  const at = Date.parse(text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));
  if (Number.isNaN(at)) throw invalid(`${name} must be a date and time such as 2026-11-20T10:00:00+00:00`);
  return Math.floor(at / 60_000) * 60_000;
}

function stamp(at: number): string {
  return new Date(at).toISOString().replace('Z', '+0000');
}

function invalid(message: string): SalesforceFault {
  return new SalesforceFault(400, 'INVALID_REPLICATION_DATE', message);
}
