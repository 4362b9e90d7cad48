import { afterEach, describe, expect, it } from '@jest/globals';
import { AbstractConnector } from 'ioredis';
import { eventually } from '../../../../test/support/eventually.js';
import { LastingRedis, retryDelayMs } from './lasting-redis.js';

describe('LastingRedis', () => {
  let attempts = 0;
  /** Rejects like a connector whose attempt was cancelled; ioredis then ends its client for good. */
  class RejectingConnector extends AbstractConnector {
    constructor() {
      super(100);
    }

    override connect(): Promise<never> {
      attempts += 1;
      return Promise.reject(new Error('Connection is closed.'));
    }
  }
  const opened: LastingRedis[] = [];
  const open = () => {
    attempts = 0;
    const redis = new LastingRedis(undefined, { Connector: RejectingConnector });
    opened.push(redis);
    redis.on('error', () => undefined);
    redis.connect().catch(() => undefined);
    return redis;
  };
  afterEach(() => opened.splice(0).forEach((redis) => redis.disconnect()));

  it('[T2] begins anew when an attempt could not even begin, for as long as nobody has ended it', async () => {
    const redis = open();
    await eventually(() => attempts >= 3, { what: 'three attempts' });
    redis.disconnect();
    const made = attempts;
    const other = open(); // its attempts tell that time has passed, in which the first must not begin anew
    await eventually(() => attempts >= 3, { what: 'three attempts of another' });
    other.disconnect();
    expect(redis.status).toBe('end');
    expect(made).toBeGreaterThanOrEqual(3);
  });

  it('[T2] has duplicates that last likewise', async () => {
    const redis = open();
    redis.disconnect();
    attempts = 0;
    const duplicate = redis.duplicate() as LastingRedis;
    opened.push(duplicate);
    duplicate.on('error', () => undefined);
    duplicate.connect().catch(() => undefined);
    await eventually(() => attempts >= 3, { what: 'three attempts' });
    expect(duplicate).toBeInstanceOf(LastingRedis);
  });
});

describe('retryDelayMs', () => {
  it('[invariant 12] grows, spreads, and never exceeds half a second', () => {
    for (let attempt = 1; attempt <= 2_000; attempt += 1) {
      const full = Math.min(500, 25 * 2 ** (attempt - 1));
      const delay = retryDelayMs(attempt);
      expect(delay).toBeGreaterThanOrEqual(full / 2);
      expect(delay).toBeLessThanOrEqual(full);
    }
    expect(new Set(Array.from({ length: 50 }, () => retryDelayMs(10))).size).toBeGreaterThan(10);
  });
});
