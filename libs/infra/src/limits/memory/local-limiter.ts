import { LRUCache } from 'lru-cache';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Policy } from '../limits.js';
import type { Limiter, Taking } from '../metered-limits.js';

/**
 * Maximum payers that are remembered, a few hundred bytes each. The one that was seen least recently is forgotten, and
 * begins a new window when it comes back; only that many other customers can push it out.
 */
export const PAYERS_MAX = 10_000;

/** Gives points in this process alone. */
export class LocalLimiter implements Limiter {
  private readonly limiter: RateLimiterMemory;
  /** The library's own map has no bound, so what leaves this one is deleted there. */
  private readonly payers: LRUCache<string, true>;

  constructor({ points, windowSeconds }: Policy, payersMax = PAYERS_MAX) {
    this.limiter = new RateLimiterMemory({ points, duration: windowSeconds });
    this.payers = new LRUCache({ max: payersMax, dispose: (_, payer) => void this.limiter.delete(payer) });
  }

  async take(payer: string): Promise<Taking> {
    if (!this.payers.get(payer)) this.payers.set(payer, true);
    const { result, isGiven } = await consumed(this.limiter.consume(payer));
    return { isGiven, remaining: result.remainingPoints, resetMs: result.msBeforeNext };
  }
}

/** The library's answer: it resolves with one kind of object, and rejects with the same when no point is left. */
export async function consumed(
  answer: Promise<RateLimiterRes>,
): Promise<{ readonly result: RateLimiterRes; readonly isGiven: boolean }> {
  try {
    return { result: await answer, isGiven: true };
  } catch (result) {
    if (result instanceof RateLimiterRes) return { result, isGiven: false };
    throw result;
  }
}
