import type { FetchContext } from '@bff/infra/cache/cache.types';
import { membership, namespace, record, wholeTable, entry, type Dependency } from '@bff/infra/cache/dependencies';
import { elapse } from '../../../../support/eventually.js';
import type { RunClock } from '../../history/clock.js';
import { factOf, neededFacts, valueText } from '../../source/universe.js';
import type { VersionedSource } from '../../source/versioned-source.js';
import type { CachedValue } from '../cached-value.js';
import type { Life } from '../life.js';

/** The dependency by which a fact is invalidated. */
export function dependencyOf(fact: number): Dependency {
  const { kind, name, id } = factOf(fact);
  switch (kind) {
    case 'record':
      return record(name, id);
    case 'membership':
      return membership(name);
    case 'table':
      return wholeTable(name);
    case 'namespace':
      return namespace(name);
    case 'key':
      return entry(name);
  }
}

/** The dependencies that a fetcher must declare for these facts; the others follow from them and from the key. */
export function declaredDependencies(facts: Iterable<number>): Dependency[] {
  return [...facts].filter((fact) => ['record', 'membership'].includes(factOf(fact).kind)).map(dependencyOf);
}

/** An error that the source throws on purpose, because real sources fail too. */
class SourceFailedError extends Error {
  readonly code = 'SOURCE_FAILED';
}

const FAILURE_CHANCE = 0.003;
/** Chance of `null` ("does not exist, or no longer"), for calls that set its lifetime. */
const NULL_CHANCE = 0.5;
/**
 * Chance and longest duration of the delay after each read of the source: most are short, some outlast a short lease.
 */
const DURATIONS: readonly (readonly [chance: number, ms: number])[] = [
  [0.015, 400],
  [0.08, 60],
  [0.3, 8],
];

/** Builds values from the source in several reads with delays between them, so that the source changes meanwhile. */
export class CheckedFetcher {
  private builds = 0;
  private slowUntil = 0;
  private isCalm = false;
  private lingering: { readonly ms: number; readonly tell: () => void } | undefined;

  constructor(
    private readonly by: number,
    private readonly source: VersionedSource,
    private readonly clock: RunClock,
    private readonly random: () => number,
  ) {}

  /** The next fetch calls `tell` when it has read the source, and then takes this much longer. */
  linger(ms: number, tell: () => void): void {
    this.lingering = { ms, tell };
  }

  /** For this time each read of the source takes 100 to 300 ms, so every fetch outlasts a lease of `SHORT_LEASE_MS`. */
  slowDown(ms: number): void {
    this.slowUntil = performance.now() + ms;
  }

  /** From now on the source is quick, does not fail, and never answers `null`. */
  calmDown(): void {
    this.isCalm = true;
  }

  nextBuild(): string {
    return `${this.by}.${++this.builds}`;
  }

  /** Builds the value of a key. `begins` receives the instant at which the fetch begins. */
  async fetch(
    key: number,
    { ttlMs, negativeMs }: Life,
    context: FetchContext,
    begins: (at: number) => void,
  ): Promise<CachedValue | null> {
    const at = this.clock.now(); // taken first, so nothing read from the source is older
    begins(at);
    const build = this.nextBuild();
    const { lingering } = this;
    this.lingering = undefined;
    const isEarly = this.random() < 0.5;
    const known = new Map<number, number>();
    let needed: Set<number>;
    for (;;) {
      needed = neededFacts(key, known);
      const missing = [...needed].filter((fact) => !known.has(fact));
      if (missing.length === 0) break;
      if (isEarly) context.dependsOn(...declaredDependencies(missing));
      const versions = await this.source.read(missing);
      missing.forEach((fact, i) => known.set(fact, versions[i] as number));
      await this.take();
    }
    lingering?.tell();
    if (lingering) await elapse(lingering.ms);
    if (!this.isCalm && this.random() < FAILURE_CHANCE)
      throw new SourceFailedError('the source failed, as it was told to');
    context.dependsOn(...declaredDependencies(needed));
    if (negativeMs && !this.isCalm && this.random() < NULL_CHANCE) return null;
    return { key, build, at, ttlMs, facts: valueText(needed, known) };
  }

  /** Delays the caller after a read of the source. */
  private async take(): Promise<void> {
    if (this.isCalm) return;
    if (performance.now() < this.slowUntil) return elapse(100 + this.random() * 200);
    let chance = this.random();
    for (const [share, ms] of DURATIONS) {
      if (chance < share) return elapse(this.random() * ms);
      chance -= share;
    }
  }
}
