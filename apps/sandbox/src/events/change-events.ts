import { randomUUID } from 'node:crypto';
import type { ObjectDefinition } from '../org/object-definition.js';
import type { Org } from '../org/org.js';
import type { Step, Transaction } from '../org/transaction.js';
import { changeBody, EMPTY_BODY, type ChangeBody } from './change-body.js';
import type { Channels } from './channels.js';
import type { EventDelivery } from './event-delivery.js';
import { channelOf } from './event-schema.js';
import type { EventSchemas } from './event-schemas.js';
import type { ChangeType } from './change-type.js';
import type { ChangeHeader, EventContent } from './org-event.js';
import { recordChanges, type RecordChange } from './changes/record-changes.js';

/**
 * A header-only event that a test or an operator orders. Salesforce sends such events when it cannot deliver the change
 * itself.
 */
export interface HeaderOnlyEvent {
  readonly entityName: string;
  readonly changeType: ChangeType;
  /** 18-character ids; `['001*']` for a wildcard. Ignored for GAP_OVERFLOW, which carries the empty id. */
  readonly recordIds: readonly string[];
}

/** The empty id that an overflow event carries (Change Data Capture guide, "Overflow Events"). */
const EMPTY_ID = '000000000000000AAA';

/** Turns every committed transaction of the org into change events and platform events in the event log. */
export class ChangeEvents {
  private commitNumber = 1_652_977_933_433_528_300n;
  /** How many of the next events are dropped, repeated or corrupted, as faults have ordered. */
  readonly next: { drop: number; repeat: number; corrupt: number } = { drop: 0, repeat: 0, corrupt: 0 };
  private droppedObject: string | undefined;
  private isMute = false;

  constructor(
    private readonly org: Org,
    private readonly channels: Channels,
    private readonly schemas: EventSchemas,
    private readonly delivery: EventDelivery,
  ) {
    org.onCommit((transaction) => this.announce(transaction));
  }

  /** Drops the next `count` events (of one object, if named) without a trace: they are neither logged nor delivered. */
  dropNext(count: number, entityName?: string): void {
    this.next.drop = count;
    this.droppedObject = entityName;
  }

  /** Runs `work`; its commits produce no events, as with a hard deletion. */
  withoutEvents(work: () => void): void {
    this.isMute = true;
    try {
      work();
    } finally {
      this.isMute = false;
    }
  }

  /** Publishes an event that has a header only. Throws `SalesforceFault` for an object that the org does not have. */
  publishHeader({ entityName, changeType, recordIds }: HeaderOnlyEvent): void {
    const object = this.org.existingObject(entityName);
    const ids = changeType === 'GAP_OVERFLOW' ? [EMPTY_ID] : recordIds;
    const header = this.header('', { entityName: object.name, changeType, recordIds: ids, sequenceNumber: 1 });
    this.publish(object, { kind: 'change', header, ...EMPTY_BODY });
  }

  /**
   * Publishes the change events of one transaction with one `transactionKey`, numbered from 1, and then its platform
   * events. Changes of objects that are not captured take numbers too, so the published numbers can have holes (guide,
   * "sequenceNumber").
   */
  private announce(transaction: Transaction): void {
    if (this.isMute) return;
    const common = this.header(transaction.context.origin, {});
    let sequenceNumber = 0;
    for (const { change, body, recordIds } of merged(this.changesOf(transaction))) {
      sequenceNumber++;
      if (!this.channels.isCaptured(change.object)) continue;
      const own = { entityName: change.object.name, changeType: change.kind, recordIds, sequenceNumber };
      this.publish(change.object, { kind: 'change', header: { ...common, ...own }, ...body });
    }
    for (const step of transaction.steps) if (step.kind === 'PUBLISH') this.publishPlatformEvent(step);
  }

  private changesOf(transaction: Transaction): RecordChange[] {
    const now = (object: ObjectDefinition, id: string) => {
      const record = this.org.table(object).get(id);
      if (record === undefined) throw new Error(`a committed record is missing: ${object.name} ${id}`);
      return record;
    };
    return recordChanges(transaction.steps, now);
  }

  private publishPlatformEvent(step: Extract<Step, { kind: 'PUBLISH' }>): void {
    this.publish(step.object, { kind: 'platform', id: step.uuid, fields: step.payload });
  }

  private publish(object: ObjectDefinition, content: EventContent): void {
    const { next } = this;
    if (next.drop > 0 && (this.droppedObject === undefined || this.droppedObject === object.name)) {
      next.drop--;
      return;
    }
    const copies = next.repeat > 0 ? 2 : 1;
    const isCorrupt = next.corrupt > 0;
    next.repeat = Math.max(0, next.repeat - 1);
    next.corrupt = Math.max(0, next.corrupt - 1);
    this.delivery.publish({ channel: channelOf(object), schema: this.schemas.of(object), content, copies, isCorrupt });
  }

  /**
   * A header with a new commit number and transaction key, completed by `own`. Its `commitTimestamp` has whole seconds,
   * as in every published sample.
   */
  private header(changeOrigin: string, own: Partial<ChangeHeader>): ChangeHeader {
    this.commitNumber += 17n;
    return {
      entityName: '',
      recordIds: [],
      changeType: 'UPDATE',
      sequenceNumber: 0,
      commitNumber: this.commitNumber,
      commitUser: this.org.userId,
      changeOrigin,
      transactionKey: randomUUID(),
      commitTimestamp: Math.floor(this.org.clock.now() / 1000) * 1000,
      ...own,
    };
  }
}

/**
 * Merges changes that differ only in their record into one event with all ids (guide, "Merged Change Events"): the same
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
