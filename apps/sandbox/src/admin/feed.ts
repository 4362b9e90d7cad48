import type { EventLog } from '../events/event-log.js';
import type { OrgEvent } from '../events/org-event.js';
import { cometdPayload } from '../cometd/cometd-payload.js';

/** Maximum number of entries kept for clients that connect later; then the oldest is dropped. */
const ENTRIES_MAX = 500;

/** One event or fault, for people who watch. */
export interface FeedEntry {
  readonly id: number;
  readonly at: string;
  readonly kind: 'event' | 'fault';
  readonly [detail: string]: unknown;
}

/**
 * The latest events and faults, newest last: events in the order in which they reached the event log, faults in the
 * order in which they were fired.
 */
export class Feed {
  /** `tell` builds an entry on demand, because most entries have no watcher. */
  private readonly entries: { readonly id: number; readonly tell: () => FeedEntry }[] = [];
  private readonly watchers = new Set<(entry: FeedEntry) => void>();
  /** Above every id of an earlier run, so that a client that still has one receives all that this run keeps. */
  private lastId = Date.now() * 1_000;

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

  /** The id of the newest entry; smaller than that of the first one if there has been none. */
  get newestId(): number {
    return this.lastId;
  }

  /**
   * The kept entries after the one with this id. All, if this run has not given the id yet: then an earlier run has, and
   * the clock was set back since.
   */
  after(id: number): readonly FeedEntry[] {
    const since = id > this.lastId ? 0 : id;
    return this.entries.filter((entry) => entry.id > since).map((entry) => entry.tell());
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
