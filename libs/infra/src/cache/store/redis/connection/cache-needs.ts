import { readdirSync, readFileSync } from 'node:fs';
import { Cluster } from 'ioredis';
import { commandsIn, type Channel, type Need } from '../../../../redis/needs.js';
import { LAYOUT, type Partition } from '../partition/partition.js';
import type { RedisConnection } from '../partition/scripts.js';

/** Commands on keys that the cache sends without a script and cannot do without. */
const DIRECT = ['GET', 'GETRANGE', 'HSCAN', 'MGET'] as const;
const PART = 'the cache';

const folder = new URL('../lua/', import.meta.url);
const lua = readdirSync(folder)
  .filter((name) => name.endsWith('.lua'))
  .map((name) => readFileSync(new URL(name, folder), 'utf8'))
  .join('\n');

/**
 * The endings behind the tag of a partition (`:g`, `:e:`, …), each of a channel if a script publishes there, else of a
 * key.
 */
const endings = [...lua.matchAll(/('PUBLISH', )?\b(?:T|tag) \.\. '(:[a-z]+:?)'/g)].map(([, publish, ending = '']) => ({
  ending,
  isChannel: publish !== undefined,
}));
const endingsOf = (isChannel: boolean) => [
  ...new Set(endings.filter((each) => each.isChannel === isChannel).map(({ ending }) => ending)),
];
const commands = [...new Set([...commandsIn(lua), ...DIRECT])].filter((name) => name !== 'PUBLISH').sort();

function partitionPattern(appName: string): string {
  return `{${appName}.v${LAYOUT}.P*`;
}

/** The needs of the scripts and reads of a partition, derived from the text of the scripts, and `DIRECT`. */
export function partitionNeed(appName: string, { tag }: Partition): Need {
  const pattern = partitionPattern(appName);
  return {
    part: PART,
    keys: endingsOf(false).map((ending) => `${tag}${ending}`),
    keyPattern: pattern,
    scratchKey: `${tag}:pr`,
    commands,
    channels: [...endingsOf(true).map((ending) => ({ name: `${tag}${ending}`, pattern })), acknowledgements(appName)],
  };
}

/** The need of the key that holds the number of partitions and the layout. */
export function layoutNeed(appName: string): Need {
  const key = `{${appName}.layout}`;
  return { part: PART, keys: [key], keyPattern: key, commands: [] };
}

/** Commands that the cache can do without: for the size of entries, and to ping a server that answers late. */
export function comfortNeed(appName: string, { tag }: Partition): Need {
  return {
    part: 'what only operators use',
    keys: [],
    keyPattern: partitionPattern(appName),
    scratchKey: `${tag}:pr`,
    commands: ['MEMORY USAGE', 'PING'],
  };
}

/** The channels on which L1s acknowledge, one for each process. */
function acknowledgements(appName: string): Channel {
  return { name: `{${appName}}:ak:pr`, pattern: `{${appName}}:ak:*` };
}

/**
 * In a Cluster, publishing an acknowledgement needs the right to a key as well: a script does it, and names the channel
 * as its key, so that it runs at the node of that slot (`publish` in `bus/redis-bus.ts`). Elsewhere undefined.
 */
export function acknowledgementNeed(appName: string, redis: RedisConnection): Need | undefined {
  const { name, pattern } = acknowledgements(appName);
  return redis instanceof Cluster ? { part: PART, keys: [name], keyPattern: pattern, commands: [] } : undefined;
}

/** The patterns of all channels that the cache listens to. */
export function channelPatterns(appName: string): string[] {
  return [partitionPattern(appName), acknowledgements(appName).pattern];
}
