import { Cluster, type ClusterNode, type ClusterOptions, type Command } from 'ioredis';
import type { Patience } from './bounded-redis.js';
import { Deadlines } from './deadlines.js';

type Arguments = Parameters<Cluster['sendCommand']>;

/** The times of a Cluster's client: those of its commands, and, until it is ready, of what it asks to become so. */
export interface ClusterPatience extends Patience {
  readonly connectTimeoutMs: number;
}

/**
 * A Cluster's client that gives a command up in time, however often it was sent on its way, and whatever its nodes are doing.
 * ioredis bounds commands node by node, and by the same time what has to connect first: then a client that is three round
 * trips of TLS away from its nodes, or shares a busy machine with them, never becomes ready (seen with 5.11.1). A command
 * that was given up is not sent again when its connection is lost.
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
    const { reject: redirect } = command; // by now what follows MOVED and the like, and sends anew after a lost connection
    command.reject = (error) => {
      if (!isGivenUp) redirect.call(command, error);
    };
    return result;
  }
}

/** Commands come here again when a pipeline that was sent to the wrong node is sent anew. */
const bounded = new WeakSet<Command>();
