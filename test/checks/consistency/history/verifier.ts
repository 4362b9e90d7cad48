import { factName, keys } from '../source/universe.js';
import { AcknowledgementTimes } from './acknowledgement-times.js';
import { BuildOutcomes } from './build-outcomes.js';
import { CommitOrder } from './commit-order.js';
import type { ChangeLine, Origin, SeenValue } from './history-lines.js';
import { FactPromises, type Promised } from './promises.js';
import { Rebuilds } from './rebuilds.js';
import { checks, type Check, type JudgedRead, type Violation } from './violation.js';

export interface VerifierOptions {
  readonly factCount: number;
  /**
   * How long after an acknowledgement another process may still return the old value, in microseconds: 0 unless L1s are
   * bounded. The process that invalidated may never return it.
   */
  readonly graceUs: number;
}

/** A read counts as *exposed* if a fact of its value was invalidated within this time before the read. */
const EXPOSED_US = 1_000_000;
/**
 * Redis expires entries by its own clock and counts from the `SET`. The slack covers the time for which a commit waits
 * for the processor (22 ms were measured beside a load of 17).
 */
const TTL_SLACK_US = 150_000;
const KEPT_MAX = 20;
/** Errors that a read may fail with: from the cache, or from the source, which fails on purpose. */
const EXPECTED_FAILURES = ['SOURCE_FAILED', 'CACHE_BUILD_FAILED', 'CACHE_WAIT_TIMEOUT', 'CACHE_OVERLOADED'];

/**
 * Judges a history of reads and invalidations by the checks of `Check`. It shares no code with the cache and knows only
 * what processes wrote down, and when. A read may be judged when every acknowledgement from before its end is known.
 */
export class Verifier {
  readonly reads: Record<Origin, number> = { l1: 0, store: 0, fetched: 0, shared: 0, bypass: 0, miss: 0 };
  readonly failures = new Map<string, number>();
  readonly acknowledged = new Map<string, number>();
  readonly times = new AcknowledgementTimes();
  readonly commits = new Map<string, number>();
  readonly violationCounts = new Map<Check, number>(checks.map((check) => [check, 0]));
  readonly order = new CommitOrder();
  refused = 0;
  exposed = 0;
  readonly rebuilds: Rebuilds;
  private readonly promises: FactPromises[];
  private readonly builds = new BuildOutcomes();
  private readonly kept: Violation[] = [];

  constructor(private readonly options: VerifierOptions) {
    this.rebuilds = new Rebuilds(options.graceUs);
    this.promises = Array.from({ length: options.factCount }, () => new FactPromises());
  }

  get violationCount(): number {
    return [...this.violationCounts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Number of reads that returned a value. */
  get readCount(): number {
    return Object.values(this.reads).reduce((sum, count) => sum + count, 0) - this.reads.miss;
  }

  /** The first 20 violations, in the order in which they were found. */
  get violations(): readonly Violation[] {
    return this.kept;
  }

  change(by: number, line: ChangeLine): void {
    switch (line.kind) {
      case 'begun':
        return this.order.begun(line.change, line.at, line.facts);
      case 'refused':
        this.refused++;
        return;
      case 'acknowledged': {
        const { at, startedAt, change, operation, facts, versions } = line;
        facts.forEach((fact, i) => this.promise(fact, { at, startedAt, by, version: versions[i] as number }));
        this.order.acknowledged(change, at);
        count(this.acknowledged, operation);
        this.times.add(by, startedAt, at);
        return;
      }
      case 'rebuilt':
        return this.rebuilds.add(by, line);
      case 'offered':
        return this.builds.offered(line.build);
      case 'committed':
        this.builds.replied(line.build, line.reply);
        count(this.commits, line.reply);
        return this.order.committed({ ...line, by });
      case 'written':
        return;
    }
  }

  failed(read: Omit<JudgedRead, 'origin' | 'value' | 'maxAgeUs'>, code: string): void {
    count(this.failures, code);
    if (EXPECTED_FAILURES.includes(code)) return;
    const { key, beganAt, endedAt } = read;
    this.report({ check: 'answer', key, from: beganAt, to: endedAt, text: `${where(read)} failed: ${code}` });
  }

  read(read: JudgedRead): void {
    this.reads[read.origin]++;
    const { value } = read;
    if (!value) return;
    if (value.key !== read.key) this.reportRead('key', read, `it was given the value of ${keys[value.key]?.text}`);
    this.checkPromises(read, value);
    this.checkVouchedFor(read, value);
    const why = this.rebuilds.judge(read, value);
    if (why) this.reportRead('G6', read, why);
    // A read that waits for a build receives its value even past the TTL: "expired" in docs/concepts/coherence.md.
    const isKept = read.origin === 'l1' || read.origin === 'store';
    const end = value.fetchedAt + value.ttlMs * 1000 + TTL_SLACK_US;
    if (isKept && value.ttlMs > 0 && read.beganAt > end) {
      this.reportRead(
        'ttl',
        read,
        `its fetch had begun ${ms(read.beganAt - value.fetchedAt)} before, its TTL is ${value.ttlMs} ms`,
      );
    }
  }

  /** Runs the checks that need the whole history. Call it once, at the end. */
  conclude(): void {
    for (const violation of this.order.violations()) this.report(violation);
  }

  /** Counts a violation, and keeps it if it is one of the first 20. */
  report(violation: Violation): void {
    count(this.violationCounts, violation.check);
    if (this.kept.length < KEPT_MAX) this.kept.push(violation);
  }

  private promise(fact: number, promised: Promised): void {
    (this.promises[fact] as FactPromises).add(promised);
  }

  private checkPromises(read: JudgedRead, value: SeenValue): void {
    let isExposed = false;
    for (let i = 0; i < value.facts.length; i++) {
      const fact = value.facts[i] as number;
      const promises = this.promises[fact] as FactPromises;
      const known = promises.countBefore(read.beganAt);
      const last = promises.get(known - 1);
      if (!last) continue;
      isExposed ||= last.at >= read.beganAt - EXPOSED_US;
      const owed = this.options.graceUs === 0 ? known : promises.countBefore(read.beganAt - this.options.graceUs);
      const broken = this.broken(value, i, promises.newestOf(owed), promises.latestOf(owed));
      if (broken) this.reportPromise(this.options.graceUs === 0 ? 'G1' : 'G3', read, fact, broken);
      for (let own = known - 1; own >= owed; own--) {
        const promised = promises.get(own) as Promised;
        const isOwn = promised.by === read.by && this.broken(value, i, promised, promised);
        if (isOwn) this.reportPromise('G3', read, fact, isOwn);
      }
    }
    if (isExposed) this.exposed++;
  }

  /** The promise that the value breaks, by its version of this fact or by the start of its fetch. */
  private broken(
    value: SeenValue,
    i: number,
    newest: Promised | undefined,
    latest: Promised | undefined,
  ): Promised | undefined {
    if (newest && (value.versions[i] as number) < newest.version) return newest;
    if (latest && value.fetchedAt >= 0 && value.fetchedAt < latest.startedAt) return latest;
    return undefined;
  }

  /**
   * G2. A read that began before the fetch may return its value whatever the store answered: no newer value was owed to
   * it.
   */
  private checkVouchedFor(read: JudgedRead, value: SeenValue): void {
    if (value.fetchedAt < 0 || read.beganAt <= value.fetchedAt) return;
    const outcome = this.builds.of(value.build);
    if (outcome === 'accepted' || outcome === 'unknown') return;
    const why = outcome === 'none' ? 'was never offered to the store' : 'was refused by the store';
    this.reportRead('G2', read, `build ${value.build} ${why}, and its fetch had begun before this read`);
  }

  private reportPromise(check: Check, read: JudgedRead, fact: number, promised: Promised): void {
    const value = read.value as SeenValue;
    const version = value.versions[value.facts.indexOf(fact)];
    const text =
      `process ${promised.by} had invalidated ${factName(fact)} at version ${promised.version}, acknowledged ` +
      `${ms(read.beganAt - promised.at)} before; the value has version ${version}, fetched by process ` +
      `${value.build.split('.')[0]} from ${ms(read.beganAt - value.fetchedAt)} before`;
    this.report({
      check,
      key: read.key,
      from: Math.min(value.fetchedAt < 0 ? promised.startedAt : value.fetchedAt, promised.startedAt),
      to: read.endedAt,
      text: `${where(read)}: ${text}`,
      fact,
      promised,
      read,
    });
  }

  private reportRead(check: Check, read: JudgedRead, text: string): void {
    const { key, beganAt, endedAt, value } = read;
    const from = Math.min(beganAt, value && value.fetchedAt >= 0 ? value.fetchedAt : beganAt);
    this.report({ check, key, from, to: endedAt, text: `${where(read)}: ${text}`, read });
  }
}

function where({ by, key, beganAt }: { readonly by: number; readonly key: number; readonly beganAt: number }): string {
  return `process ${by} read ${keys[key]?.text} at ${ms(beganAt)}`;
}

function ms(us: number): string {
  return `${(us / 1000).toFixed(3)} ms`;
}

function count<T>(counts: Map<T, number>, what: T): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}
