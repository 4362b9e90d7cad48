import { FULL_TRUST, type Trust } from '../../../redis/trust.js';
import { StoreUnavailableError } from '../../cache.errors.js';
import { doubtOf, type PartitionHistories } from './partition-histories.js';
import type { Partition } from './partition.js';
import type { RedisGuard } from './redis-guard.js';
import { runScript, UnknownReplyError, type ScriptArgument, type ScriptName } from './scripts.js';

/** What callers wait for, and believe. The others tell the store something. */
const ASKING: ReadonlySet<ScriptName> = new Set<ScriptName>(['begin', 'peek', 'commit', 'extend', 'stale']);
/** What acknowledges something: told what this process remembers, and refused where that is missing (`useOwn`). */
const ACKNOWLEDGING: ReadonlySet<ScriptName> = new Set<ScriptName>([
  'beat',
  'commit',
  'flush',
  'invalidate',
  'sweep',
  'write',
]);
/** Where the gate stands in a reply that does not begin with a code and the gate; -1: it has none. */
const GATE_AT: Partial<Record<ScriptName, number>> = { sweep: 2, pend: -1 };

/** Runs the protocol's scripts on partitions, behind the guard. */
export class PartitionScripts {
  constructor(
    private readonly guard: RedisGuard,
    private readonly histories: PartitionHistories,
    private readonly trustOf: (partition: Partition) => Trust = () => FULL_TRUST,
  ) {}

  /** A script that answers a code and what belongs to it. Rejects if what it shows cannot be what this process knows. */
  async run(
    name: ScriptName,
    partition: Partition,
    args: readonly ScriptArgument[],
  ): Promise<[code: string, ...unknown[]]> {
    const asked = partition.history.moment;
    const reply = await this.sendTwice(name, partition, args);
    if (!Array.isArray(reply)) throw new UnknownReplyError(name, reply);
    const [code, ...rest] = reply as unknown[];
    const gateBytes = (reply as unknown[])[GATE_AT[name] ?? 1];
    if (Buffer.isBuffer(gateBytes)) {
      const gate = partition.gateOf(gateBytes);
      if (!gate) throw new UnknownReplyError(name, String(gateBytes));
      // What acknowledges has looked by itself for what was known.
      if (ACKNOWLEDGING.has(name)) partition.history.settle(gate);
      else await this.histories.confirm(partition, gate, asked);
    }
    return [String(code), ...rest];
  }

  /** A script that answers a number. */
  async runNumber(name: ScriptName, partition: Partition, args: readonly ScriptArgument[]): Promise<number> {
    const reply = await this.send(name, partition, args);
    if (typeof reply !== 'number') throw new UnknownReplyError(name, reply);
    return reply;
  }

  /**
   * Where a script that acknowledges has found no history of ours (a slot has moved, a replica was promoted), one is begun, and
   * it is sent again: it had changed nothing, and whoever waits for it has the time.
   */
  private async sendTwice(name: ScriptName, partition: Partition, args: readonly ScriptArgument[]): Promise<unknown> {
    try {
      return await this.send(name, partition, args);
    } catch (error) {
      const mayRepeat = ACKNOWLEDGING.has(name) && doubtOf(error) === 'NOHISTORY';
      if (!mayRepeat || !(await this.histories.settle(partition))) throw error;
      return this.send(name, partition, args);
    }
  }

  private async send(name: ScriptName, partition: Partition, args: readonly ScriptArgument[]): Promise<unknown> {
    const { gateKey, tag, history } = partition;
    const isAsking = ASKING.has(name);
    const reason = isAsking ? partition.reason : partition.doubt;
    if (reason !== undefined) throw new StoreUnavailableError(reason);
    const head = ACKNOWLEDGING.has(name) ? [tag, ...history.known] : [tag];
    const command = () => runScript(this.guard.redis, name, gateKey, [...head, ...args]);
    try {
      return await (isAsking
        ? this.guard.ask(command, (reply) => reply, this.trustOf(partition))
        : this.guard.run(command));
    } catch (error) {
      const doubt = doubtOf(error);
      if (doubt) this.histories.doubt(partition, `what Redis holds is looked at: ${(error as Error).message}`);
      throw error;
    }
  }
}
