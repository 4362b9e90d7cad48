import { Checkpoints } from '../../checkpoints.js';
import { RedisGuard } from './redis-guard.js';
import type { RedisConnection } from './scripts.js';

/** Positions in one hash of the application. They live and die with the entries: an emptied server has neither. */
export class RedisCheckpoints extends Checkpoints {
  private readonly guard: RedisGuard;
  private readonly hash: string;

  constructor(redis: RedisConnection, appName: string) {
    super();
    this.guard = new RedisGuard(redis);
    this.hash = `{${appName}.checkpoints}`;
  }

  async load(name: string): Promise<string | undefined> {
    return (await this.guard.run(() => this.guard.redis.hget(this.hash, name))) ?? undefined;
  }

  async save(name: string, position: string): Promise<void> {
    await this.guard.run(() => this.guard.redis.hset(this.hash, name, position));
  }

  async remove(name: string): Promise<void> {
    await this.guard.run(() => this.guard.redis.hdel(this.hash, name));
  }
}
