import { CacheError } from '@bff/infra/cache/cache.errors';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { elapse } from '../../../../support/eventually.js';
import type { RunClock } from '../../history/clock.js';
import { parseVersions } from '../../history/history-lines.js';
import { factOf, keys, neededFacts, valueText } from '../../source/universe.js';
import type { PendingChange, VersionedSource } from '../../source/versioned-source.js';
import type { CachedValue } from '../cached-value.js';
import { declaredDependencies, dependencyOf, type CheckedFetcher } from './fetcher.js';
import type { HistoryWriter } from '../history-writer.js';
import { chooseChange, concernsSettings, type PlannedChange } from './planned-change.js';

const RETRY_MS = 60;

/**
 * Changes the source, then invalidates the changed facts and retries until that is acknowledged, as the subscribers of
 * change events do. It writes down each acknowledgement with the instant at which it was known.
 */
export class CheckedWriter {
  private isResting = false;
  /**
   * Ends when the last change of facts that settings show has ended; the next one begins then. While a `set` runs, no
   * fact that its value shows may change, because the value must still be true when it is written.
   */
  private settings: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly slot: number,
    private readonly role: 'reader' | 'worker',
    private readonly cache: CacheService,
    private readonly source: VersionedSource,
    private readonly fetcher: CheckedFetcher,
    private readonly history: HistoryWriter,
    private readonly clock: RunClock,
  ) {}

  rest(): void {
    this.isResting = true;
  }

  /** Invalidates the changes that the previous process in this place left unacknowledged. */
  async redeliver(): Promise<void> {
    for (const pending of await this.source.pending(this.slot)) {
      const { operation } = pending;
      // The value of an interrupted `set` is lost, so the entry is deleted.
      await this.announce(pending, () => (operation === 'set' ? this.remove(pending) : this.apply(pending)));
    }
  }

  async lane(random: () => number, pauseMs: number): Promise<void> {
    while (!this.isResting) {
      const planned = chooseChange(random, this.role);
      await (concernsSettings(planned.facts) ? this.exclusively(() => this.change(planned)) : this.change(planned));
      await elapse(random() * pauseMs);
    }
  }

  private exclusively(work: () => Promise<void>): Promise<void> {
    const done = this.settings.then(work);
    this.settings = done.catch(() => undefined);
    return done;
  }

  private async change({ operation, facts, key }: PlannedChange): Promise<void> {
    const pending = await this.source.change(this.slot, operation, facts);
    if (operation !== 'set' || key === undefined) return this.announce(pending, () => this.apply(pending));
    const value = await this.settingValue(key);
    let isFirst = true;
    await this.announce(pending, async () => {
      if (!isFirst) return this.remove(pending); // a refused `set` may have been applied, or be in progress
      isFirst = false;
      const dependsOn = declaredDependencies(parseVersions(value.facts).facts);
      await this.cache.set(keys[key]?.text ?? '', value, { dependsOn });
    });
  }

  private async announce(pending: PendingChange, attempt: () => Promise<unknown>): Promise<void> {
    const { id: change, operation, facts, versions } = pending;
    const firstAt = this.clock.now();
    this.history.changeNow({ kind: 'begun', change, at: firstAt, facts });
    for (;;) {
      const startedAt = this.clock.now();
      try {
        await attempt();
        const at = this.clock.now();
        this.history.change({ kind: 'acknowledged', change, operation, firstAt, startedAt, at, facts, versions });
        return await this.source.acknowledged(this.slot, pending);
      } catch (error) {
        if (!(error instanceof CacheError) || error.code !== 'CACHE_NOT_ACKNOWLEDGED') throw error;
        this.history.change({ kind: 'refused', at: this.clock.now() });
        await elapse(RETRY_MS);
      }
    }
  }

  private async apply({ operation, facts }: PendingChange): Promise<void> {
    if (operation === 'del') await this.cache.del(...facts.map((fact) => factOf(fact).name));
    else await this.cache.invalidate(...facts.map(dependencyOf));
  }

  private async remove({ facts }: PendingChange): Promise<void> {
    await this.cache.del(...facts.map((fact) => factOf(fact).name));
  }

  private async settingValue(key: number): Promise<CachedValue> {
    const known = new Map<number, number>();
    const needed = neededFacts(key, known);
    const facts = [...needed];
    const versions = await this.source.read(facts);
    facts.forEach((fact, i) => known.set(fact, versions[i] as number));
    return { key, build: this.fetcher.nextBuild(), at: -1, ttlMs: 0, facts: valueText(needed, known) };
  }
}
