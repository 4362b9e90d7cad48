import { TermOverError } from '../../cache/cache.errors.js';
import { Checkpoints } from '../checkpoints.js';
import type { ConsumerTerm } from '../consumer-leases.js';
import { ConsumerScripts, nameOfTerm } from './consumer-scripts.js';
import type { RedisClient } from '../../redis/redis-client.js';

/** Positions in one hash of the application. They share the entries' lifetime: an emptied server has neither. */
export class RedisCheckpoints extends Checkpoints {
  private readonly scripts: ConsumerScripts;

  constructor(redis: RedisClient, appName: string) {
    super();
    this.scripts = new ConsumerScripts(redis, appName);
  }

  async load(name: string): Promise<string | undefined> {
    const { connection, base } = this.scripts;
    return (await connection.run((redis) => redis.hget(base, name))) ?? undefined;
  }

  async save(name: string, position: string, term?: ConsumerTerm): Promise<void> {
    const { connection, base } = this.scripts;
    if (term === undefined) {
      await connection.run((redis) => redis.hset(base, name, position));
      return;
    }
    const isSaved = Number(await this.scripts.run('save', [term.consumer, nameOfTerm(term), name, position])) === 1;
    if (!isSaved) throw new TermOverError(term.consumer);
  }

  async remove(name: string): Promise<void> {
    const { connection, base } = this.scripts;
    await connection.run((redis) => redis.hdel(base, name));
  }
}
