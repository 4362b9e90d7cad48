import type { BeginRequest, CommitRequest } from '@bff/infra/cache/store/cache-store';
import { RedisCacheStore } from '@bff/infra/cache/store/redis/redis-cache-store';
import type { RunClock } from '../history/clock.js';
import { parseVersions } from '../history/history-lines.js';
import type { CachedValue } from './cached-value.js';
import type { HistoryWriter } from './history-writer.js';

interface Grant {
  readonly askedAt: number;
  readonly grantedAt: number;
}

const GRANTS_MAX = 5000;

/**
 * Writes down what the store is asked and what it answers where G2 and G4 speak of it: grants of leases and commits. It
 * changes nothing. `reads` counts the reads that were not answered in the process.
 */
export class ObservedStore {
  reads = 0;
  private readonly grants = new Map<string, Grant>();

  constructor(
    private readonly history: HistoryWriter,
    private readonly clock: RunClock,
  ) {}

  /** Call it before the cache is made. */
  observe(): void {
    const { read, begin, commit } = RedisCacheStore.prototype;
    const observed = this as ObservedStore;
    RedisCacheStore.prototype.read = function (this: RedisCacheStore, key) {
      observed.reads++;
      return read.call(this, key);
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

  private granted(leaseId: string, grant: Grant): void {
    this.grants.set(leaseId, grant);
    const [oldest] = this.grants.keys();
    if (this.grants.size > GRANTS_MAX && oldest !== undefined) this.grants.delete(oldest);
  }

  private offered({ leaseId, value }: CommitRequest): (reply: string) => void {
    const { build, key, ttlMs, facts } = JSON.parse(value.bytes.toString()) as CachedValue;
    const sentAt = this.clock.now();
    const grant = this.grants.get(leaseId);
    this.grants.delete(leaseId);
    this.history.changeNow({ kind: 'offered', build, at: sentAt });
    return (reply) => {
      const repliedAt = this.clock.now();
      // Without its grant a commit cannot be compared with others: then it counts as granted at its very end.
      const { askedAt, grantedAt } = grant ?? { askedAt: 0, grantedAt: repliedAt };
      const times = { askedAt, grantedAt, sentAt, repliedAt };
      this.history.change({ kind: 'committed', build, key, reply, ...times, ttlMs, facts: parseVersions(facts).facts });
    };
  }
}
