import { LRUCache } from 'lru-cache';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { RedisClient } from '../../redis/redis-client.js';
import type { Policy } from '../limits.js';
import { LocalLimiter, PAYERS_MAX, consumed } from '../memory/local-limiter.js';
import type { Limiter, Taking } from '../metered-limits.js';
import { Purse, type Filling } from './purse.js';
import type { StoreTrial } from './store-trial.js';

/**
 * A process takes a twentieth of a policy's points at a time. So it asks the store for at most every twentieth piece of
 * work, and another process finds at most a twentieth of the points taken by each and not used.
 */
const BLOCKS_PER_WINDOW = 20;

/** How many points a process takes at a time; at least 1, so small limits are exact in every process. */
export function blockOf({ points }: Policy): number {
  return Math.max(1, Math.floor(points / BLOCKS_PER_WINDOW));
}

/**
 * What one of `processes` may give by itself, so that all together give no more than the policy allows; but at least 1.
 */
export function shareOf({ points, windowSeconds }: Policy, processes: number): Policy {
  return { points: Math.max(1, Math.floor(points / processes)), windowSeconds };
}

/** Where and how the points of one class of work are kept. */
export interface SharedLimiterOptions {
  readonly redis: RedisClient;
  readonly policy: Policy;
  /** Every key is this, a colon and the payer. */
  readonly keyPrefix: string;
  /** The script that takes points. */
  readonly lua: string;
  /** Among how many processes the points are divided while the store does not answer. */
  readonly processes: number;
  readonly trial: StoreTrial;
}

/**
 * Gives points of all processes together: in blocks, each taken with one command. While the store is away, slow or
 * refuses, it gives this process' share of the points instead.
 */
export class SharedLimiter implements Limiter {
  private readonly purses = new LRUCache<string, Purse>({ max: PAYERS_MAX });
  private readonly store: RateLimiterRedis;
  private readonly share: LocalLimiter;

  constructor(private readonly options: SharedLimiterOptions) {
    const { redis, policy, keyPrefix, lua, processes } = options;
    this.store = new RateLimiterRedis({
      storeClient: redis,
      keyPrefix,
      points: policy.points,
      duration: policy.windowSeconds,
      customIncrTtlLuaScript: lua,
      rejectIfRedisNotReady: true,
    });
    this.share = new LocalLimiter(shareOf(policy, processes));
  }

  async take(payer: string): Promise<Taking> {
    return (await this.purseOf(payer).take()) ?? this.share.take(payer);
  }

  private purseOf(payer: string): Purse {
    const known = this.purses.get(payer);
    if (known) return known;
    const { policy } = this.options;
    const purse = new Purse(policy, blockOf(policy), (points) => this.fill(payer, points));
    this.purses.set(payer, purse);
    return purse;
  }

  private async fill(payer: string, points: number): Promise<Filling | undefined> {
    const sentAt = performance.now();
    const answer = await this.options.trial.ask(() => consumed(this.store.consume(payer, points)));
    if (!answer) return undefined;
    const { consumedPoints, msBeforeNext } = answer.result;
    const beyond = Math.max(0, consumedPoints - this.options.policy.points);
    return {
      points: Math.max(0, points - beyond),
      left: Math.max(0, this.options.policy.points - consumedPoints),
      endsAt: sentAt + msBeforeNext, // counted from the question, so never later than in the store
    };
  }
}
