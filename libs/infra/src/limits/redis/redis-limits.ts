import { readFileSync } from 'node:fs';
import { commandsIn, needsOf } from '../../redis/needs.js';
import { commandTimeoutOf, type RedisClient } from '../../redis/redis-client.js';
import type { Policies, WorkClass } from '../limits.js';
import { LocalLimiter } from '../memory/local-limiter.js';
import { MeteredLimits } from '../metered-limits.js';
import { SharedLimiter } from './shared-limiter.js';
import { StoreTrial } from './store-trial.js';

const SCRIPT = readFileSync(new URL('./lua/take-points.lua', import.meta.url), 'utf8');

/**
 * The part of the command timeout that a caller waits for points, as for a read of the cache. A caller that comes while
 * points are asked for waits for that and for its own question: still less than one command timeout.
 */
const PATIENCE = 3 / 8;

/**
 * Limits of all processes of an application: one expiring key for each payer and class of work. Requests are limited in
 * this process and cost no command.
 */
export class RedisLimits extends MeteredLimits {
  /** @param processes among how many processes the points are divided while Redis does not answer */
  constructor(redis: RedisClient, appName: string, policies: Policies, processes: number) {
    const tag = `{${appName}.limits}`;
    const trial = new StoreTrial(commandTimeoutOf(redis) * PATIENCE);
    const shared = (work: WorkClass) =>
      new SharedLimiter({
        redis,
        policy: policies[work],
        keyPrefix: `${tag}:${work}`,
        lua: SCRIPT,
        processes,
        trial,
      });
    super(policies, {
      request: new LocalLimiter(policies.request),
      fetch: shared('fetch'),
      write: shared('write'),
      stream: shared('stream'),
    });
    needsOf(redis).set(tag, {
      part: 'the limits of customers',
      keys: [`${tag}:`],
      keyPattern: `${tag}:*`,
      scratchKey: `${tag}:pr`,
      commands: commandsIn(SCRIPT),
    });
  }
}
