import { Cluster, type ClusterNode, type ClusterOptions, type Command } from 'ioredis';
import type { Patience } from './bounded-redis.js';
import { Deadlines } from '../deadlines.js';

type Arguments = Parameters<Cluster['sendCommand']>;

/** Adds the timeout of the commands that a Cluster's client sends before it is ready. */
export interface ClusterPatience extends Patience {
  readonly connectTimeoutMs: number;
}

/**
 * A Cluster client whose commands are rejected in time, however often they are resent and whatever the nodes do.
 * ioredis bounds commands node by node and applies the same limit while it connects: a client three TLS round trips
 * away from its nodes, or on a busy machine, then never becomes ready (seen with 5.11.1). A command that was given up
 * is not resent when its connection is lost.
 */
export class BoundedCluster extends Cluster {
  readonly #deadlines: Deadlines<() => void>;
  readonly #connecting: Deadlines<() => void>;

  constructor(
    nodes: ClusterNode[],
    options: ClusterOptions,
    readonly patience: ClusterPatience,
  ) {
    super(nodes, options);
    this.#deadlines = new Deadlines(patience.commandTimeoutMs, (giveUp) => giveUp());
    this.#connecting = new Deadlines(patience.connectTimeoutMs, (giveUp) => giveUp());
  }

  override sendCommand(command: Command, ...rest: Arguments extends [unknown, ...infer R] ? R : never): unknown {
    if (bounded.has(command)) return super.sendCommand(command, ...rest);
    bounded.add(command);
    const deadlines = this.status === 'ready' ? this.#deadlines : this.#connecting;
    let isGivenUp = false;
    const { resolve, reject } = command;
    const deadline = deadlines.add(() => {
      isGivenUp = true;
      reject(new Error('Command timed out'));
    });
    command.resolve = (reply) => {
      deadlines.settle(deadline);
      resolve(reply);
    };
    command.reject = (error) => {
      deadlines.settle(deadline);
      reject(error);
    };
    const result = super.sendCommand(command, ...rest);
    const { reject: redirect } = command; // ioredis' own: follows MOVED and the like, and resends
    command.reject = (error) => {
      if (!isGivenUp) redirect.call(command, error);
    };
    return result;
  }
}

/** Commands with a deadline. A command passes `sendCommand` again when a pipeline sent to the wrong node is resent. */
const bounded = new WeakSet<Command>();
