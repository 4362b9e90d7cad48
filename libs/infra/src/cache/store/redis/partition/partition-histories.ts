import { StoreUnavailableError } from '../../../cache.errors.js';
import { historyName, nonce, type Verdict } from './partition.js';
import { parseGate, type Partition, type Partitions } from './partition.js';
import type { RedisGuard } from '../connection/redis-guard.js';
import { runScript, UnknownReplyError } from './scripts.js';

type Send = <T>(command: () => Promise<T>) => Promise<T>;

/** How long after a look the next one begins if the partition is still in doubt: its slot moves, or the look failed. */
const LOOK_MS = 100;
/** How often a process without an L1 looks at every partition; with an L1 every beat does. */
const WATCH_MS = 250;
const SLOT_OPEN = 'SLOTOPEN';
const NO_HISTORY = 'NOHISTORY';

/**
 * Verifies that Redis holds, in each partition, the history that this process knows. It looks when a connection is new,
 * when an answer or a message calls for it, and without an L1 four times a second; while a partition is in doubt, it is
 * neither asked nor believed. A history that has lost something is replaced by a new one, in which nothing older is
 * served (`adopt.lua`, docs/decisions/0004).
 */
export class PartitionHistories {
  private readonly looking = new Map<Partition, Promise<boolean>>();
  private readonly timers = new Map<Partition, NodeJS.Timeout>();
  private watching: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(
    private readonly guard: Pick<RedisGuard, 'redis' | 'run' | 'tellOutage'>,
    private readonly partitions: Partitions,
  ) {}

  /**
   * Looks at all partitions; rejects if a look fails. A partition whose slot is moving stays in doubt; the others work.
   */
  async examine(): Promise<void> {
    await Promise.all(this.partitions.all.map((partition) => this.adopt(partition, (command) => command())));
  }

  /**
   * Starts looking four times a second. That detects a server that became a replica, which reads would not show, and a
   * store that went back, perhaps before a request meets it.
   */
  watch(): void {
    this.watching ??= setInterval(() => this.partitions.all.forEach((p) => void this.settle(p)), WATCH_MS).unref();
  }

  /** Puts the partition in doubt: nothing is asked of it until it has been looked at. */
  doubt(partition: Partition, reason: string): void {
    if (this.isClosed || partition.doubt !== undefined) return;
    partition.doubt = reason;
    this.guard.tellOutage(); // requests to the partition that are under way may be worthless
    void this.settle(partition);
  }

  /**
   * For an answer that does not itself show that it contains the moment known at its request (`History.judge`). Rejects
   * with `StoreUnavailableError`: at once for `no`, and for `unproven` unless a look at the store settles the history.
   */
  async prove(partition: Partition, verdict: Exclude<Verdict, 'yes'>): Promise<void> {
    if (verdict === 'no') throw this.goneBack(partition);
    if (!(await this.settle(partition))) throw new StoreUnavailableError(`the history of ${partition.tag} is in doubt`);
  }

  /**
   * An answer shows less than this process knows: puts the partition in doubt, and returns the error for the caller.
   */
  private goneBack(partition: Partition): StoreUnavailableError {
    const reason = `${partition.tag} shows an older state than this process has seen: it is looked at before it is used`;
    this.doubt(partition, reason);
    return new StoreUnavailableError(reason);
  }

  /** Looks at a partition, or joins a look under way. Resolves to whether the partition may be used. Never rejects. */
  settle(partition: Partition): Promise<boolean> {
    return this.looking.get(partition) ?? this.look(partition);
  }

  close(): void {
    this.isClosed = true;
    clearInterval(this.watching);
    for (const timer of this.timers.values()) clearTimeout(timer);
  }

  private look(partition: Partition): Promise<boolean> {
    const look = this.adopt(partition, (command) => this.guard.run(command))
      .then(
        () => true,
        () => false, // a doubt remains; the guard reports what the connection lacks
      )
      .then((isLookedAt) => {
        // In one step: a doubt that was raised during this look has joined it, so only `lookLater` looks again for it.
        this.looking.delete(partition);
        if (partition.doubt !== undefined) this.lookLater(partition);
        return isLookedAt && partition.doubt === undefined;
      });
    this.looking.set(partition, look);
    return look;
  }

  private async adopt(partition: Partition, send: Send): Promise<void> {
    let reply: unknown;
    try {
      const args = [partition.tag, nonce(), historyName(), ...partition.history.known];
      reply = await send(() => runScript(this.guard.redis, 'adopt', partition.gateKey, args));
    } catch (error) {
      if (doubtOf(error) !== SLOT_OPEN) throw error;
      const isNew = partition.doubt === undefined;
      partition.doubt = 'its slot is moving to another node of the cluster: nothing of it is used meanwhile';
      if (isNew) this.guard.tellOutage();
      this.lookLater(partition);
      return;
    }
    const gate = Array.isArray(reply) ? parseGate(String(reply[1])) : undefined;
    if (!gate) throw new UnknownReplyError('adopt', reply);
    partition.history.settle(gate);
    partition.doubt = undefined;
  }

  private lookLater(partition: Partition): void {
    clearTimeout(this.timers.get(partition));
    if (this.isClosed) return;
    this.timers.set(partition, setTimeout(() => void this.settle(partition), LOOK_MS).unref());
  }
}

/**
 * Why a script has refused: `SLOTOPEN` or `NOHISTORY` (`use` in `_partition.lua`); undefined for any other
 * error.
 */
export function doubtOf(error: unknown): typeof SLOT_OPEN | typeof NO_HISTORY | undefined {
  const cause = error instanceof StoreUnavailableError ? error.cause : error;
  const message = cause instanceof Error ? cause.message : '';
  return [SLOT_OPEN, NO_HISTORY].find((code) => message.startsWith(code)) as ReturnType<typeof doubtOf>;
}
