import { readdirSync, readFileSync } from 'node:fs';
import { Cluster } from 'ioredis';
import { commandsIn, type Channel, type Need } from '../../../redis/needs.js';
import { LAYOUT, type Partition } from './partition.js';
import type { RedisConnection } from './scripts.js';

/** What the cache sends without a script. */
const DIRECT = ['GET', 'GETRANGE', 'HSCAN', 'MGET'] as const;
const PART = 'the cache';

const folder = new URL('./lua/', import.meta.url);
const lua = readdirSync(folder)
  .filter((name) => name.endsWith('.lua'))
  .map((name) => readFileSync(new URL(name, folder), 'utf8'))
  .join('\n');

/** What stands behind the tag of a partition: `:g`, `:e:`, … A message goes to a channel of such a name, an entry to a key. */
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

/** What the scripts and the reads of a partition need. It is read off the scripts, so it is never more or less. */
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

/** The key that says how many partitions there are. */
export function layoutNeed(appName: string): Need {
  const key = `{${appName}.layout}`;
  return { part: PART, keys: [key], keyPattern: key, commands: [] };
}

/** What the cache works without: the size of entries, and a sign of life that it asks for when answers are late. */
export function comfortNeed(appName: string, { tag }: Partition): Need {
  return {
    part: 'what only operators use',
    keys: [],
    keyPattern: partitionPattern(appName),
    scratchKey: `${tag}:pr`,
    commands: ['MEMORY USAGE', 'PING'],
  };
}

/** Where L1s acknowledge: a channel for each process. */
function acknowledgements(appName: string): Channel {
  return { name: `{${appName}}:ak:pr`, pattern: `{${appName}}:ak:*` };
}

/**
 * In a Cluster acknowledgements are published by a script in the slot of their channel, which is named as its key (`publish` in
 * `redis-bus.ts`); undefined elsewhere.
 */
export function acknowledgementNeed(appName: string, redis: RedisConnection): Need | undefined {
  const { name, pattern } = acknowledgements(appName);
  return redis instanceof Cluster ? { part: PART, keys: [name], keyPattern: pattern, commands: [] } : undefined;
}

/** The patterns of all channels that the cache listens to. */
export function channelPatterns(appName: string): string[] {
  return [partitionPattern(appName), acknowledgements(appName).pattern];
}
