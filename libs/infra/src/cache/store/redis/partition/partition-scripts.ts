import { StoreUnavailableError } from '../../../cache.errors.js';
import { doubtOf, type PartitionHistories } from './partition-histories.js';
import type { Partition } from './partition.js';
import type { RedisGuard } from '../connection/redis-guard.js';
import { runScript, UnknownReplyError, type ScriptArgument, type ScriptName } from './scripts.js';

/** Scripts whose answer a caller waits for and believes, so they use `ask` of the guard. The others use `run`. */
const ASKING: ReadonlySet<ScriptName> = new Set<ScriptName>(['begin', 'peek', 'commit', 'extend', 'stale']);
/**
 * Scripts that acknowledge something: they receive the position that this process remembers, and refuse if the history
 * in Redis lacks it (`useOwn`).
 */
const ACKNOWLEDGING: ReadonlySet<ScriptName> = new Set<ScriptName>([
  'beat',
  'commit',
  'flush',
  'invalidate',
  'sweep',
  'write',
]);
/** Index of the gate in a reply that does not begin with a code and the gate; -1: the reply has no gate. */
const GATE_AT: Partial<Record<ScriptName, number>> = { sweep: 2, pend: -1 };

/** Runs the protocol's scripts on partitions, behind the guard. */
export class PartitionScripts {
  constructor(
    private readonly guard: RedisGuard,
    private readonly histories: PartitionHistories,
  ) {}

  /**
   * Runs a script that answers several fields. Rejects if the gate among them may be from before the moment that this
   * process knew when it asked.
   */
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
      // A script that acknowledges has itself checked the known position.
      if (ACKNOWLEDGING.has(name)) partition.history.settle(gate);
      else {
        const verdict = partition.history.judge(gate, asked);
        if (verdict !== 'yes') await this.histories.prove(partition, verdict);
      }
    }
    return [String(code), ...rest];
  }

  /** Runs a script that answers a number. */
  async runNumber(name: ScriptName, partition: Partition, args: readonly ScriptArgument[]): Promise<number> {
    const reply = await this.send(name, partition, args);
    if (typeof reply !== 'number') throw new UnknownReplyError(name, reply);
    return reply;
  }

  /**
   * If a script that acknowledges does not find our history (a slot has moved, a replica was promoted), looks at the
   * partition, and sends the script again: the first attempt changed nothing, and its callers have the time.
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
      return await (isAsking ? this.guard.ask(command, (reply) => reply, partition.trust) : this.guard.run(command));
    } catch (error) {
      const doubt = doubtOf(error);
      if (doubt) this.histories.doubt(partition, `what Redis holds is looked at: ${(error as Error).message}`);
      throw error;
    }
  }
}
