import type { EventLog } from '../events/event-log.js';
import type { OrgEvent } from '../events/org-event.js';
import { cometdPayload } from '../cometd/cometd-payload.js';

/** Entries kept for who comes later. */
const ENTRIES_MAX = 500;

/** Something that happened, for people who watch. */
export interface FeedEntry {
  readonly id: number;
  readonly at: string;
  readonly kind: 'event' | 'fault';
  readonly [detail: string]: unknown;
}

/** What happened lately in the sandbox, newest last: events as they reached the bus, and faults as they were ordered. */
export class Feed {
  /** Told only to who asks: most events are seen by nobody. */
  private readonly entries: { readonly id: number; readonly tell: () => FeedEntry }[] = [];
  private readonly watchers = new Set<(entry: FeedEntry) => void>();
  private lastId = 0;

  constructor(log: EventLog) {
    log.onPublished((event) => this.add('event', () => describeEvent(event)));
  }

  add(kind: FeedEntry['kind'], details: () => Readonly<Record<string, unknown>>): void {
    const id = ++this.lastId;
    const at = new Date().toISOString();
    const tell = (): FeedEntry => ({ ...details(), id, at, kind });
    this.entries.push({ id, tell });
    if (this.entries.length > ENTRIES_MAX) this.entries.shift();
    for (const watcher of this.watchers) watcher(tell());
  }

  /** The kept entries after this one. */
  after(id: number): readonly FeedEntry[] {
    return this.entries.filter((entry) => entry.id > id).map((entry) => entry.tell());
  }

  /** Calls back with every new entry, until the returned function is called. */
  watch(watcher: (entry: FeedEntry) => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }
}

function describeEvent({ replayId, channel, schema, content }: OrgEvent): Record<string, unknown> {
  const payload = cometdPayload(content, schema);
  if (content.kind === 'platform') return { replayId, channel, payload };
  const { entityName, changeType, recordIds } = content.header;
  return { replayId, channel, entityName, changeType, recordIds, payload };
}
