import { readFileSync } from 'node:fs';
import { commandsIn, needsOf } from '../../redis/needs.js';
import type { RedisClient } from '../../redis/redis-client.js';
import { failureOf } from '../../redis/refused-reply.js';
import { IdempotencyUnavailableError } from '../idempotency.errors.js';
import { IdempotencyRecords, type Beginning, type Hold, type IdempotencyClaim } from '../idempotency-records.js';

const SCRIPTS = {
  begin: script('begin'),
  hold: script('hold'),
  answer: script('answer'),
  release: script('release'),
} as const;

/** Idempotency keys of all processes of an application: one hash with an end for each. */
export class RedisIdempotencyRecords extends IdempotencyRecords {
  constructor(
    private readonly redis: RedisClient,
    private readonly appName: string,
  ) {
    super();
    needsOf(redis).set(this.record(''), {
      part: 'idempotency keys',
      keys: [this.record('')],
      keyPattern: this.record('*'),
      scratchKey: this.record('pr'),
      commands: [...new Set(Object.values(SCRIPTS).flatMap(commandsIn))].sort(),
    });
  }

  async begin({ key, fingerprint, holder }: IdempotencyClaim, leaseMs: number): Promise<Beginning> {
    const [kind, detail] = (await this.run('begin', key, [fingerprint, holder, leaseMs])) as [string, unknown];
    switch (kind) {
      case 'begun':
        return { kind, mayBeDone: Number(detail) === 1 };
      case 'abandoned':
      case 'mismatch':
        return { kind };
      case 'running':
        return { kind, leftMs: Number(detail) };
      case 'answered':
        return { kind, answer: String(detail) };
      default:
        throw new Error(`begin.lua answered ${kind}`);
    }
  }

  async hold({ key, holder }: IdempotencyClaim, { leaseMs, unrepeatableMs, mayBeDoneMs }: Hold): Promise<boolean> {
    return (await this.run('hold', key, [holder, leaseMs, unrepeatableMs ?? '', mayBeDoneMs ?? ''])) === 1;
  }

  async answer({ key, fingerprint, holder }: IdempotencyClaim, answer: string, lifeMs: number): Promise<boolean> {
    return (await this.run('answer', key, [fingerprint, holder, answer, lifeMs])) === 1;
  }

  async release({ key, holder }: IdempotencyClaim): Promise<void> {
    await this.run('release', key, [holder]);
  }

  private record(key: string): string {
    return `{${this.appName}.idempotency}:${key}`;
  }

  /** Nothing is sent while the connection is away, so that a customer does not wait for it. */
  private async run(name: keyof typeof SCRIPTS, key: string, args: readonly (string | number)[]): Promise<unknown> {
    const { status } = this.redis;
    if (status !== 'ready') throw new IdempotencyUnavailableError(`the connection to Redis is ${status}`);
    try {
      // EVAL, not EVALSHA: orders are rare beside reads, and a replaced server needs no second attempt.
      return await this.redis.eval(SCRIPTS[name], 1, this.record(key), ...args);
    } catch (error) {
      const failure = failureOf(error);
      if (failure.kind === 'defect') throw failure.error;
      throw new IdempotencyUnavailableError(failure.message, { cause: failure.cause });
    }
  }
}

function script(name: string): string {
  return readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8');
}
