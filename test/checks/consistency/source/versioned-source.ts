import { Redis } from 'ioredis';
import { neededFacts, valueText } from './universe.js';

/** A change at the source whose invalidation is not acknowledged yet. */
export interface PendingChange {
  readonly id: string;
  readonly operation: string;
  readonly facts: readonly number[];
  readonly versions: readonly number[];
}

/**
 * The source of truth: versions of facts in a separate Redis that no fault touches. A change and the note that it must
 * be announced are one step, as a database and its change events are. A process that dies before the acknowledgement
 * leaves the note to its successor.
 */
export class VersionedSource {
  private readonly redis: Redis;

  constructor(url: string) {
    this.redis = new Redis(url);
  }

  /** The current versions, all of one instant. */
  async read(facts: readonly number[]): Promise<number[]> {
    const versions = await this.redis.hmget('versions', ...facts.map(String));
    return versions.map((version) => Number(version ?? 0));
  }

  /** Raises the version of each fact by one. */
  async change(slot: number, operation: string, facts: readonly number[]): Promise<PendingChange> {
    const id = String(await this.redis.incr('changes'));
    // The new versions are unknown before this step, so the note holds only the facts; `pending` reads the versions
    // again.
    const step = this.redis.multi();
    for (const fact of facts) step.hincrby('versions', String(fact), 1);
    step.hset(`pending:${slot}`, id, JSON.stringify([operation, facts]));
    const replies = (await step.exec()) ?? [];
    const versions = facts.map((_, i) => Number(replies[i]?.[1]));
    return { id, operation, facts, versions };
  }

  async acknowledged(slot: number, { id }: PendingChange): Promise<void> {
    await this.redis.hdel(`pending:${slot}`, id);
  }

  /**
   * The changes that the last process of this slot left unacknowledged, with the current versions: an invalidation from
   * now on promises the state of the source when it begins.
   */
  async pending(slot: number): Promise<PendingChange[]> {
    const notes = Object.entries(await this.redis.hgetall(`pending:${slot}`));
    return Promise.all(
      notes.map(async ([id, note]) => {
        const [operation, facts] = JSON.parse(note) as [string, number[]];
        return { id, operation, facts, versions: await this.read(facts) };
      }),
    );
  }

  /** The true value of each key, as text. Call it when nothing changes any more. */
  async truth(keys: readonly number[]): Promise<string[]> {
    const all = await this.redis.hgetall('versions');
    const known = new Map(Object.entries(all).map(([fact, version]) => [Number(fact), Number(version)]));
    const versionOf = { get: (fact: number) => known.get(fact) ?? 0 } as ReadonlyMap<number, number>;
    return keys.map((key) => valueText(neededFacts(key, versionOf), versionOf));
  }

  close(): void {
    this.redis.disconnect();
  }
}
