import type { Partition } from './partition.js';
import type { RedisGuard } from './redis-guard.js';
import { runScript, UnknownReplyError, type ScriptArgument, type ScriptName } from './scripts.js';

/** What callers wait for, and believe. The others tell the store something. */
const ASKING: ReadonlySet<ScriptName> = new Set<ScriptName>(['begin', 'peek', 'commit', 'extend', 'stale']);

/** Runs the protocol's scripts on partitions, behind the guard. */
export class PartitionScripts {
  constructor(private readonly guard: RedisGuard) {}

  /** A script that answers a code and what belongs to it. */
  async run(
    name: ScriptName,
    partition: Partition,
    args: readonly ScriptArgument[],
  ): Promise<[code: string, ...unknown[]]> {
    const reply = await this.send(name, partition, args);
    if (!Array.isArray(reply)) throw new UnknownReplyError(name, reply);
    const [code, ...rest] = reply as unknown[];
    return [String(code), ...rest];
  }

  /** A script that answers a number. */
  async runNumber(name: ScriptName, partition: Partition, args: readonly ScriptArgument[]): Promise<number> {
    const reply = await this.send(name, partition, args);
    if (typeof reply !== 'number') throw new UnknownReplyError(name, reply);
    return reply;
  }

  private send(name: ScriptName, { gateKey, tag }: Partition, args: readonly ScriptArgument[]): Promise<unknown> {
    const command = () => runScript(this.guard.redis, name, gateKey, [tag, ...args]);
    return ASKING.has(name) ? this.guard.ask(command, (reply) => reply) : this.guard.run(command);
  }
}
