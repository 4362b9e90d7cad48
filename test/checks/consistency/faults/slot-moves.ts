import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { seededRandom } from '../../../support/cache/coherence-oracle.js';
import { elapse, eventually } from '../../../support/eventually.js';
import type { RedisCluster } from '../../../support/redis/redis-cluster.js';
import { redisCommand } from '../../../support/redis/redis-command.js';
import type { RedisServer } from '../../../support/redis/redis-server.js';
import { shuffled, type Fault } from './fault-schedule.js';

/** A move pauses after this many keys, so that processes see the slot in every intermediate state. */
const KEYS_BETWEEN_RESTS = 40;
const REST_MS = 25;
const KEYS_AT_ONCE = 100;
/** Maximum number of keys that are listed at once: more than a partition of the checker ever has. */
const KEYS_MAX = 100_000;
const ROUNDS_MAX = 10_000;
const RESHARD_MS = 60_000;
/** How long finishing a move may be repeated; a cluster that lost a master is whole again long before. */
const FINISH_MS = 30_000;
/** How long a move rests half way, or after it was given up; also the pause before an attempt to finish it is repeated. */
const HALF_WAY_MS = 1000;
/** How long to wait until a script sees the open slot; the sweeper looks every second. */
const SEEN_MS = 3000;
/** How long the news of a slot's new owner may take to its old one. */
const LOST_MS = 10_000;

/**
 * Maximum length of what follows a key's hash tag, with the bracket that ends the tag, if the key holds the partition's
 * own state: `}:g`, `}:wd`.
 */
const SHORT_KEY = 4;

/** Shares of a slot's keys after which a move stops. */
const ABORTED_AT = [0.02, 0.1, 0.3, 0.6, 0.9] as const;

/** Moves slots of a Cluster between its masters, completely or with errors. */
export class SlotMoves {
  constructor(
    private readonly cluster: RedisCluster,
    /** The slots of the partitions. */
    private readonly slots: readonly number[],
    private readonly tell: (text: string) => void,
  ) {}

  /** The slot that a fault hits, its owner, and the destination. */
  private async planned(target: number) {
    const slot = this.slots[target % this.slots.length] as number;
    const from = await this.cluster.masterOf(slot);
    const others = (await this.masters()).filter((master) => master !== from);
    return { slot, from, to: others[target % others.length] as RedisServer };
  }

  /**
   * Moves a slot key by key, in random order. About half of the moves send the partition's own state first and then
   * pause, so that entries arrive when some of them are already invalidated. About half overwrite keys at the
   * destination, as `--cluster-replace` does.
   */
  async move(fault: Fault): Promise<void> {
    await this.moveKeys(fault, 1);
  }

  /** Moves a part of the keys, stops for a while, and then finishes the move. */
  async abort(fault: Fault): Promise<void> {
    await this.moveKeys(fault, ABORTED_AT[fault.target % ABORTED_AT.length] as number);
  }

  /**
   * Moves the index, and in every second case a part of the entries; then both nodes set the slot `STABLE`. Before that
   * it waits until a script has seen the open slot, but not for ever: without `slot-check` no script looks. The keys
   * left at the destination are deleted a second later.
   */
  async giveUp(fault: Fault): Promise<void> {
    const { slot, from, to } = await this.planned(fault.target);
    const random = seededRandom(fault.target);
    const keys = (await redisCommand(from.port, 'CLUSTER', 'GETKEYSINSLOT', slot, KEYS_MAX)) as string[];
    const share = fault.target % 2 === 0 ? 0 : random();
    const moving = keys.filter((key) => isIndex(key) || (!isShort(key) && random() < share));
    await redisCommand(to.port, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', await idOf(from));
    await redisCommand(from.port, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', await idOf(to));
    for (let at = 0; at < moving.length; at += KEYS_AT_ONCE)
      await migrate(from, to, moving.slice(at, at + KEYS_AT_ONCE));
    const isSeen = await this.isSeen(from, keys.find(isGate));
    for (const { port } of [to, from]) await redisCommand(port, 'CLUSTER', 'SETSLOT', slot, 'STABLE');
    this.tell(
      `the move of slot ${slot} was given up after ${moving.length} of ${keys.length} keys, ${isSeen ? '' : 'un'}seen`,
    );
    await elapse(HALF_WAY_MS);
    await deleteStranded(slot, from, to);
  }

  /**
   * Moves all keys but the index in one step, and lets the destination take the slot, nearly always before any script
   * sees it open. The node that has lost the slot deletes the rest.
   */
  async handOver(fault: Fault): Promise<void> {
    const { slot, from, to } = await this.planned(fault.target);
    const [fromId, toId] = await Promise.all([idOf(from), idOf(to)]);
    const others = (await this.masters()).filter((node) => node !== from && node !== to);
    await redisCommand(to.port, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
    const [source, target] = [from, to].map(({ port }) => new Redis({ host: '127.0.0.1', port })) as [Redis, Redis];
    try {
      await target.ping();
      const keys = await source.cluster('GETKEYSINSLOT', slot, KEYS_MAX);
      const moving = keys.filter((key) => !isIndex(key));
      // Both at once: a server carries out all received commands of one client before it serves the next.
      const opened = source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
      const moved = source.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5000, 'REPLACE', 'KEYS', ...moving);
      await Promise.all([opened, moved]);
      await target.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
      this.tell(`slot ${slot} was handed over after ${moving.length} of ${keys.length} keys`);
    } finally {
      for (const redis of [source, target]) redis.disconnect();
    }
    for (const { port } of others) await redisCommand(port, 'CLUSTER', 'SETSLOT', slot, 'NODE', toId);
    // A node that has lost a slot keeps its mark: if the slot came back, every script would find it open, for ever.
    const hasLost = async () => !(await slotsOf(from)).includes(slot);
    await eventually(hasLost, { withinMs: LOST_MS, what: 'that the source knows the new owner' });
    await redisCommand(from.port, 'CLUSTER', 'SETSLOT', slot, 'STABLE');
  }

  /**
   * Waits until a script has spoilt the gate, as a script does that finds the slot open; some process always
   * invalidates. False if none does so within `SEEN_MS`; true if there is no gate.
   */
  private async isSeen(from: RedisServer, gate: string | undefined): Promise<boolean> {
    if (gate === undefined) return true;
    for (const until = performance.now() + SEEN_MS; performance.now() < until; await elapse(REST_MS))
      if (String(await redisCommand(from.port, 'GET', gate)).startsWith('!')) return true;
    return false;
  }

  /**
   * Runs `redis-cli --cluster reshard` for the first slots of a master, up to one that holds a partition. If it fails,
   * the slots that it left open are finished.
   */
  async reshard(fault: Fault): Promise<void> {
    const { from, to, count } = await this.firstToReshard(fault);
    const [fromId, toId] = await Promise.all([idOf(from), idOf(to)]);
    const which = ['--cluster-from', fromId, '--cluster-to', toId, '--cluster-slots', String(count), '--cluster-yes'];
    const replace = fault.target % 2 === 0 ? ['--cluster-replace'] : [];
    const args = ['--cluster', 'reshard', `127.0.0.1:${from.port}`, ...which, ...replace];
    const cli = spawn('redis-cli', args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: RESHARD_MS });
    let said = '';
    for (const stream of [cli.stdout, cli.stderr])
      stream.on('data', (text: Buffer) => (said = (said + String(text)).slice(-2000)));
    const [code] = (await once(cli, 'close')) as [number | null];
    this.tell(`redis-cli has resharded ${count} slots (exit code ${code})${code === 0 ? '' : `: ${errorIn(said)}`}`);
    if (code !== 0) for (const open of await this.openSlots()) await this.finish(open.slot, open.from, open.to);
  }

  /**
   * The partition before which its master owns the fewest slots: moving a slot takes some commands, with or without
   * keys.
   */
  private async firstToReshard({ target }: Fault) {
    const plans = await Promise.all(
      this.slots.map(async (slot, i) => {
        const plan = await this.planned(i);
        const owned = (await slotsOf(plan.from)).sort((a, b) => a - b);
        return { ...plan, count: owned.indexOf(slot) + 1 };
      }),
    );
    const first = plans.reduce((best, next) => (next.count < best.count ? next : best));
    const others = (await this.masters()).filter((master) => master !== first.from);
    return { ...first, to: others[target % others.length] as RedisServer };
  }

  /**
   * Moves `share` of the keys. If that is less than 1, or a key cannot be moved, the move stands still for a while and
   * is then finished.
   */
  private async moveKeys(fault: Fault, share: number): Promise<void> {
    const { slot, from, to } = await this.planned(fault.target);
    const random = seededRandom(fault.target);
    const total = Number(await redisCommand(from.port, 'CLUSTER', 'COUNTKEYSINSLOT', slot));
    const keysMax = share < 1 ? Math.ceil(total * share) : Infinity;
    const beforeKey = async (_key: string | undefined, count: number) => {
      if (count >= keysMax) throw new Error(`aborted after ${count} of ${total} keys`);
      if (count > 0 && count === shortCount) await elapse(HALF_WAY_MS);
      else if (count % KEYS_BETWEEN_RESTS === 0) await elapse(REST_MS);
    };
    const isAhead = random() < 0.5;
    let shortCount = 0;
    const order = (keys: readonly string[]) => {
      const all = shuffled(keys, random);
      if (!isAhead) return all;
      const short = all.filter(isShort);
      shortCount ||= short.length;
      return [...short, ...all.filter((key) => !isShort(key))];
    };
    try {
      await this.cluster.migrateSlot(slot, to, { order, replace: fault.target % 2 === 0, beforeKey });
      this.tell(`slot ${slot} has moved`);
    } catch (error) {
      this.tell(`the move of slot ${slot} stands still: ${(error as Error).message.slice(0, 100)}`);
      await elapse(HALF_WAY_MS + fault.ms);
      await this.finish(slot, from, to);
    }
  }

  /**
   * Finishes a move as an operator does, and overwrites existing keys. Repeats that after a failure, until `FINISH_MS`
   * have passed: a master may be away, or the owner may have changed.
   */
  private async finish(slot: number, from: RedisServer, to: RedisServer): Promise<void> {
    const deadline = performance.now() + FINISH_MS;
    for (let owner = from; ; owner = await this.cluster.masterOf(slot)) {
      try {
        if (owner !== to) await this.finishFrom(slot, owner, to);
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        this.tell(`the move of slot ${slot} is tried again: ${(error as Error).message.slice(0, 100)}`);
        await this.cluster.waitUntilWhole().catch(() => undefined); // the next attempt shows whether it is whole
        await elapse(HALF_WAY_MS);
      }
    }
  }

  private async finishFrom(slot: number, from: RedisServer, to: RedisServer): Promise<void> {
    // Repeated: a replica that was promoted meanwhile does not know that the slot moves.
    await redisCommand(to.port, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', await idOf(from));
    await redisCommand(from.port, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', await idOf(to));
    await migrateAll(slot, from, to);
    const id = await idOf(to);
    const others = (await this.masters()).filter((node) => node !== from && node !== to);
    for (const { port } of [to, from, ...others]) await redisCommand(port, 'CLUSTER', 'SETSLOT', slot, 'NODE', id);
    this.tell(`the move of slot ${slot} was finished`);
  }

  /**
   * Carries out a move. If it fails, for example because another fault has taken a master away, this waits for a whole
   * cluster and finishes the slots that are open.
   */
  async mended(move: () => Promise<void>): Promise<void> {
    try {
      return await move();
    } catch (error) {
      this.tell(`a move was interrupted: ${(error as Error).message.slice(0, 100)}`);
    }
    const deadline = performance.now() + FINISH_MS;
    for (;;) {
      try {
        await this.cluster.waitUntilWhole();
        for (const open of await this.openSlots()) await this.finish(open.slot, open.from, open.to);
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await elapse(HALF_WAY_MS);
      }
    }
  }

  private async openSlots() {
    const nodes = await this.masters();
    const ids = await Promise.all(nodes.map(idOf));
    const found: { slot: number; from: RedisServer; to: RedisServer }[] = [];
    for (const from of nodes) {
      const text = String(await redisCommand(from.port, 'CLUSTER', 'NODES'));
      const own = text.split('\n').find((line) => line.includes('myself')) ?? '';
      for (const [, slot, id = ''] of own.matchAll(/\[(\d+)->-([0-9a-f]+)\]/g)) {
        const to = nodes[ids.indexOf(id)];
        if (to) found.push({ slot: Number(slot), from, to });
      }
      // The owner may have been replaced by a node that does not know of the move.
      for (const [, slot] of own.matchAll(/\[(\d+)-<-[0-9a-f]+\]/g)) {
        const owner = await this.cluster.masterOf(Number(slot));
        if (owner !== from) found.push({ slot: Number(slot), from: owner, to: from });
      }
    }
    return found;
  }

  /**
   * The owners of three slots that never move, one in each third: only slots of partitions, and the slots before them,
   * do.
   */
  private async masters(): Promise<RedisServer[]> {
    const owners = await Promise.all([5000, 10_000, 16_000].map((slot) => this.cluster.masterOf(slot)));
    return [...new Set(owners)];
  }
}

/** Whether the key holds the partition's own state, and no entry or index. */
function isShort(key: string): boolean {
  return key.length - key.indexOf('}') <= SHORT_KEY;
}

function isIndex(key: string): boolean {
  return key.includes('}:x:');
}

function isGate(key: string): boolean {
  return key.endsWith('}:g');
}

/**
 * Deletes the keys of a slot from node `at`, which does not own the slot. A node accepts such commands only while it
 * imports the slot, and after `ASKING`.
 */
async function deleteStranded(slot: number, owner: RedisServer, at: RedisServer): Promise<void> {
  await redisCommand(at.port, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', await idOf(owner));
  const redis = new Redis({ host: '127.0.0.1', port: at.port });
  try {
    const keys = await redis.cluster('GETKEYSINSLOT', slot, KEYS_MAX);
    await Promise.all(keys.flatMap((key) => [redis.asking(), redis.unlink(key)]));
  } finally {
    redis.disconnect();
  }
  await redisCommand(at.port, 'CLUSTER', 'SETSLOT', slot, 'STABLE');
}

async function migrate(from: RedisServer, to: RedisServer, keys: readonly string[]): Promise<void> {
  await redisCommand(from.port, 'MIGRATE', '127.0.0.1', to.port, '', 0, 5000, 'REPLACE', 'KEYS', ...keys);
}

async function migrateAll(slot: number, from: RedisServer, to: RedisServer): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const keys = (await redisCommand(from.port, 'CLUSTER', 'GETKEYSINSLOT', slot, KEYS_AT_ONCE)) as string[];
    if (keys.length === 0) return;
    await migrate(from, to, keys);
  }
  throw new Error(`slot ${slot} does not become empty`);
}

async function idOf({ port }: RedisServer): Promise<string> {
  return String(await redisCommand(port, 'CLUSTER', 'MYID'));
}

async function slotsOf(node: RedisServer): Promise<number[]> {
  const ranges = (await redisCommand(node.port, 'CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
  return ranges
    .filter(([, , [, port]]) => port === node.port)
    .flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
}

function errorIn(text: string): string {
  return /\[ERR\].*/.exec(text)?.[0].slice(0, 120) ?? text.trim().slice(-120);
}
