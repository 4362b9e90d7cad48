import { readFileSync } from 'node:fs';
import { commandsIn, needsOf } from '../../redis/needs.js';
import type { ConsumerTerm } from '../consumer-leases.js';
import { SharedConnection } from './shared-connection.js';
import type { RedisClient } from '../../redis/redis-client.js';

const NAMES = ['acquire', 'renew', 'save', 'release', 'ages'] as const;
type ScriptName = (typeof NAMES)[number];

/** Commands about positions and terms that are sent without a script. */
const DIRECT = ['GET', 'HDEL', 'HGET', 'HSET', 'PTTL'] as const;

const PREFIX = 'evergreen_consumer_';

/** The scripts about positions, terms and feeds. All their keys begin with the same tag, so each runs on one slot. */
export class ConsumerScripts {
  readonly connection: SharedConnection;
  /** Key of the hash of positions; prefix of the other keys. */
  readonly base: string;

  constructor(redis: RedisClient, appName: string) {
    this.connection = new SharedConnection(redis);
    this.base = `{${appName}.checkpoints}`;
    const commands = new Set<string>(DIRECT);
    for (const name of NAMES) {
      const lua = readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8');
      redis.defineCommand(PREFIX + name, { numberOfKeys: 1, lua });
      for (const command of commandsIn(lua)) commands.add(command);
    }
    needsOf(redis).set(this.base, {
      part: 'the following of change events',
      keys: [this.base, `${this.base}:lease:`, `${this.base}:fences`, `${this.base}:feeds`],
      keyPattern: `${this.base}*`,
      scratchKey: `${this.base}:pr`,
      commands: [...commands],
    });
  }

  run(name: ScriptName, args: readonly (string | number)[]): Promise<unknown> {
    return this.connection.run((redis) => {
      const commands = redis as unknown as Record<string, (...args: (string | number)[]) => Promise<unknown>>;
      const command = commands[PREFIX + name] as (...args: (string | number)[]) => Promise<unknown>;
      return command.call(redis, this.base, ...args);
    });
  }
}

/** The value of the consumer's lease in Redis while this term lasts. No other term of the consumer has the same. */
export function nameOfTerm({ fence, holder }: ConsumerTerm): string {
  return `${fence} ${holder}`;
}
