import type { BeginRequest, CommitRequest } from '@bff/infra/cache/protocol/cache-store';
import { L1Cache } from '@bff/infra/cache/l1/l1-cache';
import { RedisCacheStore } from '@bff/infra/cache/store/redis/redis-cache-store';
import type { RunClock } from '../history/clock.js';
import { parseVersions } from '../history/history-lines.js';
import type { CachedValue } from './cached-value.js';
import type { HistoryWriter } from './history-writer.js';
import { keys } from '../source/universe.js';

interface Grant {
  readonly askedAt: number;
  readonly grantedAt: number;
}

interface Answered {
  readonly sentAt: number;
  readonly isKnown: boolean;
}

const GRANTS_MAX = 5000;
/** Maximum number of offers remembered for a key. A read looks at those since its own fetch began. */
const ANSWERED_MAX = 8;
const indexOfKey = new Map(keys.map(({ text }, key) => [text, key]));

/**
 * Writes down the calls to the store and its answers that G2 and G4 depend on: grants of leases, and commits. It
 * changes nothing. `l1Hits` counts the reads that the L1 of the process answered.
 */
export class ObservedStore {
  l1Hits = 0;
  private readonly grants = new Map<string, Grant>();
  private readonly answers = new Map<number, Answered[]>();

  constructor(
    private readonly history: HistoryWriter,
    private readonly clock: RunClock,
  ) {}

  /** Call it before the cache is made. */
  observe(): void {
    const { serve } = L1Cache.prototype;
    const { begin, commit } = RedisCacheStore.prototype;
    const observed = this as ObservedStore;
    L1Cache.prototype.serve = function (this: L1Cache, entry, now) {
      const answer = serve.call(this, entry, now);
      if (answer !== undefined) observed.l1Hits++;
      return answer;
    };
    RedisCacheStore.prototype.begin = async function (this: RedisCacheStore, request: BeginRequest) {
      const askedAt = observed.clock.now();
      const reply = await begin.call(this, request);
      if (reply.kind === 'lease') observed.granted(request.leaseId, { askedAt, grantedAt: observed.clock.now() });
      return reply;
    };
    RedisCacheStore.prototype.commit = async function (this: RedisCacheStore, request: CommitRequest) {
      const answered = observed.offered(request);
      try {
        const reply = await commit.call(this, request);
        answered(reply);
        return reply;
      } catch (error) {
        answered('unknown');
        throw error;
      }
    };
  }

  /**
   * Whether this process has offered a build of the key since then, and received an answer to each offer. False if
   * there may have been more offers than are remembered.
   */
  hasBeenAnswered(key: number, since: number): boolean {
    const answers = (this.answers.get(key) ?? []).filter(({ sentAt }) => sentAt >= since);
    return answers.length > 0 && answers.length < ANSWERED_MAX && answers.every(({ isKnown }) => isKnown);
  }

  private granted(leaseId: string, grant: Grant): void {
    this.grants.set(leaseId, grant);
    const [oldest] = this.grants.keys();
    if (this.grants.size > GRANTS_MAX && oldest !== undefined) this.grants.delete(oldest);
  }

  private offered({ key: text, leaseId, value, ttlMs = 0 }: CommitRequest): (reply: string) => void {
    const key = indexOfKey.get(text);
    if (key === undefined) return () => undefined; // a key that is not judged
    // A negative answer carries no build and no facts, but it replaces other values.
    const offered = JSON.parse(value.bytes.toString()) as CachedValue | null;
    const { build, facts } = offered ?? { build: '0.0', facts: '' };
    const sentAt = this.clock.now();
    const grant = this.grants.get(leaseId);
    this.grants.delete(leaseId);
    this.history.changeNow({ kind: 'offered', build, at: sentAt });
    return (reply) => {
      const repliedAt = this.clock.now();
      this.noteAnswer(key, { sentAt, isKnown: reply !== 'unknown' });
      // If the grant is no longer known, these times say so little that no violation follows from them.
      const { askedAt, grantedAt } = grant ?? { askedAt: 0, grantedAt: repliedAt };
      const times = { askedAt, grantedAt, sentAt, repliedAt };
      this.history.change({ kind: 'committed', build, key, reply, ...times, ttlMs, facts: parseVersions(facts).facts });
    };
  }

  private noteAnswer(key: number, answered: Answered): void {
    const answers = this.answers.get(key) ?? [];
    answers.push(answered);
    if (answers.length > ANSWERED_MAX) answers.shift();
    this.answers.set(key, answers);
  }
}
