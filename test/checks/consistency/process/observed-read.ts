import type { ReadOutcome } from '@bff/infra/cache/cache.types';
import type { RunClock } from '../history/clock.js';
import type { Origin } from '../history/history-lines.js';
import type { CachedValue } from './cached-value.js';
import type { HistoryWriter } from './history-writer.js';
import type { ObservedStore } from './observed-store.js';

/** No read of the checker allows a stale value, so that outcome is missing here. */
const ORIGINS: Readonly<Partial<Record<ReadOutcome, Origin>>> = {
  hit: 'store',
  miss: 'fetched',
  coalesced: 'shared',
  bypass: 'bypass',
};

/** The parts of a process that a read uses. */
export interface Observation {
  readonly by: number;
  readonly store: ObservedStore;
  readonly history: HistoryWriter;
  readonly clock: RunClock;
}

/** One read, from just before it begins; it writes down how it was answered. */
export class ObservedRead {
  /** The outcome that the cache reports. */
  outcome: ReadOutcome = 'hit';
  /** When its own fetch began, if it had one. */
  fetchedAt: number | undefined;
  private readonly l1HitsBefore: number;
  private readonly beganAt: number;

  /** `maxAgeUs`: the age that the read allows; -1: any. */
  constructor(
    private readonly key: number,
    private readonly maxAgeUs: number,
    private readonly process: Observation,
  ) {
    this.l1HitsBefore = process.store.l1Hits;
    this.beganAt = process.clock.now();
  }

  /** Call it in the same turn as the cache. It never rejects for a failed read; it writes the failure down. */
  async answered(answer: Promise<CachedValue | null | undefined>, codeOfVainWait: string) {
    const { store, history } = this.process;
    const isInL1 = store.l1Hits > this.l1HitsBefore; // the cache looks into the L1 in the turn of the call
    try {
      const value = (await answer) ?? undefined;
      const origin = this.outcome === 'hit' && isInL1 ? 'l1' : ORIGINS[this.outcome];
      if (!origin) throw new Error(`answered by "${this.outcome}", which it never allowed`);
      if (this.maxAgeUs >= 0 && (origin === 'fetched' || origin === 'shared')) this.noteRebuilt(value);
      history.read(this.key, this.beganAt, value ? origin : 'miss', value, this.maxAgeUs);
      return value;
    } catch (error) {
      const { code } = error as { code?: unknown };
      const text = code === 'CACHE_WAIT_TIMEOUT' ? codeOfVainWait : typeof code === 'string' ? code : String(error);
      history.failed(this.key, this.beganAt, text);
      return undefined;
    }
  }

  /**
   * Notes that the value binds later reads, if its fetch began within this read. If this process built it, the store
   * must also have answered each of its offers of the key since then.
   */
  private noteRebuilt(value: CachedValue | undefined): void {
    const { by, store, history, clock } = this.process;
    const fetchedAt = value ? value.at : this.fetchedAt;
    if (fetchedAt === undefined || fetchedAt < this.beganAt) return;
    const isOwn = !value || value.build.startsWith(`${by}.`);
    if (isOwn && !store.hasBeenAnswered(this.key, fetchedAt)) return;
    history.change({ kind: 'rebuilt', key: this.key, fetchedAt, at: clock.now() });
  }
}
