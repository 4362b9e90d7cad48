import type { Redis } from 'ioredis';

const PAGE = 1000;
/**
 * `state u8 | expiry u48 | codec u8 | s u48 | created u48 | build u48 | born u48 | depsLen u32`, see
 * lua/_partition.lua.
 */
const HEADER_BYTES = 36;
const STATE_LIVE = 1;
const FETCH_CLOCK_AT = 8;
const BORN_AT = 26;
/** The kinds of keys of a partition, see lua/_partition.lua. */
const KNOWN = /^:(g|m|d|wd|ut|iv|tz|un|in|ac|e:.*|l:.*|s:.*|x:.*)$/s;

/** The prefix of every key of a partition, see `Partitions` in the product. It decides the slot. */
export function partitionTag(appName: string, partitions: number, index: number): string {
  return `{${appName}.v2.P${partitions}:${index}}`;
}

export interface IndexReport {
  /**
   * What is wrong: traces that must not exist, or that are missing, and windows that are too wide. Empty: the index
   * fits the entries.
   */
  readonly faults: readonly string[];
  readonly entries: number;
  readonly indexKeys: number;
  /** Kinds of keys that this walk does not know, by the first 20 characters after the hash tag. */
  readonly unknown: readonly string[];
}

/** The keys of one partition, examined while nothing changes. */
class Partition {
  readonly faults: string[] = [];
  readonly entries = new Set<string>();
  readonly indexed = new Map<string, Set<string>>();
  /** Tables and namespaces with too many dependants for an index; a walk over the directory finds these dependants. */
  private readonly wide = new Set<string>();
  private readonly directory = new Map<string, string[]>();

  constructor(
    private readonly redis: Redis,
    private readonly tag: string,
    private readonly keys: readonly string[],
  ) {}

  async walk(windowMax: number): Promise<void> {
    await this.findEntries();
    await this.readDirectory();
    for (const key of this.keysOf(':x:')) await this.checkIndex(key);
    for (const dependency of await this.redis.smembers(`${this.tag}:wd`)) this.wide.add(dependency);
    this.checkDirectory();
    await this.checkEach(':ut', this.redis.zrange(`${this.tag}:ut`, 0, -1));
    if ((await this.redis.exists(`${this.tag}:un`)) > 0)
      this.faults.push(`${this.tag}:un still names unswept dependencies`);
    for (const lease of this.keysOf(':l:')) this.faults.push(`the lease ${lease} is left`);
    for (const window of [':iv', ':tz']) {
      const size = await this.redis.zcard(`${this.tag}${window}`);
      if (size > windowMax + 1)
        this.faults.push(`${this.tag}${window} holds ${size}, more than its window of ${windowMax}`);
    }
  }

  private keysOf(kind: string): string[] {
    const prefix = this.tag + kind;
    return this.keys.filter((key) => key.startsWith(prefix));
  }

  /**
   * Collects the entries that a read would return: live, of this history, and not from before the read floor. Each
   * other entry is a fault.
   */
  private async findEntries(): Promise<void> {
    const [, readFloor, , , born] = ((await this.redis.get(`${this.tag}:g`)) ?? '').split(' ');
    const all = this.keysOf(':e:');
    for (let i = 0; i < all.length; i += PAGE) {
      const page = all.slice(i, i + PAGE);
      const pipeline = this.redis.pipeline();
      for (const key of page) pipeline.getrangeBuffer(key, 0, HEADER_BYTES - 1);
      const headers = (await pipeline.exec()) ?? [];
      page.forEach((key, n) => {
        const header = headers[n]?.[1] as Buffer;
        if (header.length === 0) return; // it expired meanwhile
        const isLive =
          header.readUInt8(0) === STATE_LIVE &&
          header.readUIntBE(BORN_AT, 6) === Number(born) &&
          header.readUIntBE(FETCH_CLOCK_AT, 6) >= Number(readFloor);
        if (isLive) this.entries.add(key.slice(`${this.tag}:e:`.length));
        else this.faults.push(`the entry ${key} can not be served and takes memory`);
      });
    }
  }

  private async readDirectory(): Promise<void> {
    const all = await this.redis.hgetall(`${this.tag}:d`);
    for (const [id, dependencies] of Object.entries(all))
      this.directory.set(id, dependencies.split('\0').filter(Boolean));
  }

  /** Checks that every member of an index belongs to a live entry that names this dependency. */
  private async checkIndex(key: string): Promise<void> {
    const dependency = key.slice(`${this.tag}:x:`.length);
    const members = await this.redis.zrange(key, 0, -1);
    this.indexed.set(dependency, new Set(members));
    for (const id of members) {
      if (!this.entries.has(id)) this.faults.push(`${key} names ${id}, of which there is no entry`);
      else if (!this.directory.get(id)?.includes(dependency))
        this.faults.push(`${key} names ${id}, which does not depend on it`);
    }
  }

  /**
   * Checks the converse, on which safety rests: every entry that can be served is in the index of each of its
   * dependencies.
   */
  private checkDirectory(): void {
    for (const id of this.entries)
      if (!this.directory.has(id)) this.faults.push(`the entry ${id} is missing in ${this.tag}:d`);
    for (const [id, dependencies] of this.directory) {
      if (!this.entries.has(id)) this.faults.push(`${this.tag}:d names ${id}, of which there is no entry`);
      for (const dependency of dependencies) {
        if (!this.wide.has(dependency) && this.entries.has(id) && !this.indexed.get(dependency)?.has(id))
          this.faults.push(`${id} depends on ${dependency}, whose index does not name it: STALENESS AHEAD`);
      }
    }
  }

  private async checkEach(kind: string, members: Promise<string[]>): Promise<void> {
    for (const id of await members)
      if (!this.entries.has(id)) this.faults.push(`${this.tag}${kind} names ${id}, of which there is no entry`);
  }
}

/**
 * Checks whether every trace of an entry in Redis belongs to a live entry, and whether every live entry can be found by
 * its dependencies. It is for a Redis at rest; entries that have just expired count as faults until a sweep. `nodes`
 * are all primaries that hold partitions. A partition lies in one slot, so one primary has all of it.
 */
export async function walkIndex(nodes: readonly Redis[], appName: string, windowMax: number): Promise<IndexReport> {
  const reports = await Promise.all(nodes.map((node) => walkNode(node, appName, windowMax)));
  const total = (count: (report: IndexReport) => number) => reports.reduce((sum, report) => sum + count(report), 0);
  return {
    faults: reports.flatMap(({ faults }) => faults),
    entries: total(({ entries }) => entries),
    indexKeys: total(({ indexKeys }) => indexKeys),
    unknown: [...new Set(reports.flatMap(({ unknown }) => unknown))],
  };
}

async function walkNode(redis: Redis, appName: string, windowMax: number): Promise<IndexReport> {
  const byTag = new Map<string, string[]>();
  let cursor = '0';
  do {
    const [next, page] = await redis.scan(cursor, 'MATCH', `{${appName}.v*`, 'COUNT', PAGE);
    cursor = next;
    for (const key of page) {
      const tag = key.slice(0, key.indexOf('}') + 1);
      const known = byTag.get(tag);
      if (known) known.push(key);
      else byTag.set(tag, [key]);
    }
  } while (cursor !== '0');
  const faults: string[] = [];
  const unknown = new Set<string>();
  let [entries, indexKeys] = [0, 0];
  for (const [tag, found] of byTag) {
    // A node may hold keys of a slot that it lost: its master deleted them, and did not replicate that (Redis 7.0).
    if (await isElsewhere(redis, tag)) continue;
    const partition = new Partition(redis, tag, [...new Set(found)]);
    await partition.walk(windowMax);
    faults.push(...partition.faults);
    entries += partition.entries.size;
    indexKeys += partition.indexed.size;
    for (const key of found) if (!KNOWN.test(key.slice(tag.length))) unknown.add(key.slice(tag.length).slice(0, 20));
  }
  return { faults, entries, indexKeys, unknown: [...unknown] };
}

async function isElsewhere(redis: Redis, tag: string): Promise<boolean> {
  try {
    await redis.exists(`${tag}:g`);
    return false;
  } catch (error) {
    if ((error as Error).message.startsWith('MOVED ')) return true;
    throw error;
  }
}
