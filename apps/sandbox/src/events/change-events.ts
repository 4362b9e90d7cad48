import { createHash, randomUUID } from 'node:crypto';
import type { ObjectDefinition } from '../org/object-definition.js';
import type { Org } from '../org/org.js';
import type { Step, Transaction } from '../org/transaction.js';
import type { EventLog, UnpublishedEvent } from './event-log.js';
import { changeBody, type ChangeBody } from './change-payload.js';
import { recordChanges, type RecordChange } from './record-changes.js';

/** Header-only events that a test or an operator scripts: what Salesforce sends when it cannot tell the change itself. */
export interface GapEvent {
  readonly entityName: string;
  readonly changeType: 'GAP_CREATE' | 'GAP_UPDATE' | 'GAP_DELETE' | 'GAP_UNDELETE' | 'GAP_OVERFLOW' | 'UPDATE';
  /** 18-character ids; `['001*']` for a wildcard. Ignored for GAP_OVERFLOW, whose id is empty. */
  readonly recordIds: readonly string[];
}

/** The empty id that stands in an overflow event (Change Data Capture guide, "Overflow Events"). */
const EMPTY_ID = '000000000000000AAA';

/** Turns every committed transaction of the org into change events and platform events of its log. */
export class ChangeEvents {
  private commitNumber = 1_100_670_838_951;
  private dropsLeft = 0;

  constructor(
    private readonly org: Org,
    private readonly log: EventLog,
  ) {
    org.onCommit((transaction) => this.announce(transaction));
  }

  /** The next `count` events are lost without a trace: never logged, never delivered, their replay ids never given. */
  dropNext(count: number): void {
    this.dropsLeft = count;
  }

  /** The channel of an object's change events: `/data/OrderChangeEvent`, `/data/Thing__ChangeEvent`. */
  static channel(object: ObjectDefinition): string {
    return `/data/${object.name.replace(/__c$/, '__')}ChangeEvent`;
  }

  publishGap(gap: GapEvent): void {
    const object = this.org.existingObject(gap.entityName);
    const recordIds = gap.changeType === 'GAP_OVERFLOW' ? [EMPTY_ID] : gap.recordIds;
    const header = {
      ...this.transactionHeader(''),
      sequenceNumber: 1,
      entityName: object.name,
      changeType: gap.changeType,
    };
    const payload = { ChangeEventHeader: { ...header, recordIds, changedFields: [] } };
    this.publish({ channel: ChangeEvents.channel(object), schema: schemaId(object), payload });
  }

  private announce(transaction: Transaction): void {
    const common = this.transactionHeader(transaction.context.origin);
    let sequenceNumber = 0;
    for (const { change, body, recordIds } of merged(this.changesOf(transaction))) {
      const header = { ...common, sequenceNumber: ++sequenceNumber, entityName: change.object.name };
      const payload = {
        ChangeEventHeader: { ...header, changeType: change.kind, recordIds, changedFields: body.changedFields },
        ...body.fields,
      };
      this.publish({ channel: ChangeEvents.channel(change.object), schema: schemaId(change.object), payload });
    }
    for (const step of transaction.steps) if (step.kind === 'PUBLISH') this.publishPlatformEvent(step);
  }

  private changesOf(transaction: Transaction): RecordChange[] {
    const now = (object: ObjectDefinition, id: string) => {
      const record = this.org.table(object).get(id);
      if (record === undefined) throw new Error(`a committed record is missing: ${object.name} ${id}`);
      return record;
    };
    return recordChanges(transaction.steps, now).filter((change) => change.object.traits.capturesChanges === true);
  }

  private publishPlatformEvent(step: Extract<Step, { kind: 'PUBLISH' }>): void {
    this.publish({ channel: `/event/${step.object.name}`, schema: schemaId(step.object), payload: step.payload });
  }

  private publish(event: UnpublishedEvent): void {
    if (this.dropsLeft > 0) this.dropsLeft--;
    else this.log.publish(event);
  }

  /** `commitTimestamp` has whole seconds, as in every published sample. */
  private transactionHeader(origin: string): Record<string, unknown> {
    this.commitNumber += 17;
    return {
      commitNumber: this.commitNumber,
      commitUser: this.org.userId,
      changeOrigin: origin,
      transactionKey: randomUUID(),
      commitTimestamp: Math.floor(this.org.clock.now() / 1000) * 1000,
    };
  }
}

/**
 * Changes that are equal but for their record become one event with all ids (guide, "Merged Change Events"): the same
 * update of several records, and deletions.
 */
function merged(changes: readonly RecordChange[]): { change: RecordChange; body: ChangeBody; recordIds: string[] }[] {
  const events = new Map<string, { change: RecordChange; body: ChangeBody; recordIds: string[] }>();
  for (const change of changes) {
    const body = changeBody(change);
    if (body === undefined) continue;
    const mergeable = change.kind === 'UPDATE' || change.kind === 'DELETE';
    const key = `${change.object.name} ${change.kind} ${mergeable ? JSON.stringify(body) : change.id}`;
    const known = events.get(key);
    if (known === undefined) events.set(key, { change, body, recordIds: [change.id] });
    else known.recordIds.push(change.id);
  }
  return [...events.values()];
}

/** A stable id of the event's schema, 22 characters like the real ones; it changes when a field is added. */
function schemaId(object: ObjectDefinition): string {
  const text = [object.name, ...[...object.fields].map((field) => `${field.name}:${field.type}`)].join('\n');
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
