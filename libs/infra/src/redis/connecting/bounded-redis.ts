import type { Command, Redis, RedisOptions } from 'ioredis';
import { Deadlines } from '../deadlines.js';
import { LastingRedis } from '../lasting-redis.js';

type Writable = Parameters<Redis['sendCommand']>[1];

/** Timeouts in milliseconds: for a command, and, after one was given up, for a connection that receives nothing. */
export interface Patience {
  readonly commandTimeoutMs: number;
  readonly silenceMs: number;
}

/**
 * A connection that gives up late commands, and ends if it receives nothing after that. One timer bounds all commands:
 * for its `commandTimeout` and `socketTimeout` ioredis starts two per command, which measured 4 µs of a 30 µs read.
 * After a stall of this process, replies that arrived meanwhile are read before a command counts as late.
 */
export class BoundedRedis extends LastingRedis {
  readonly #deadlines: Deadlines<Command>;
  #isWatched = false;

  /** @param options must say where Redis is, unless the URL does */
  constructor(
    url: string | undefined,
    options: RedisOptions,
    readonly patience: Patience,
  ) {
    super(url, options);
    this.#deadlines = new Deadlines(patience.commandTimeoutMs, (command) => this.#giveUp(command));
  }

  override sendCommand(command: Command, stream?: Writable): unknown {
    const { resolve, reject } = command;
    const deadline = this.#deadlines.add(command);
    // Wrapped, not attached with `then`: a handler on its promise would make an unhandled rejection look handled.
    command.resolve = (reply) => {
      this.#deadlines.settle(deadline);
      resolve(reply);
    };
    command.reject = (error) => {
      this.#deadlines.settle(deadline);
      reject(error);
    };
    return super.sendCommand(command, stream);
  }

  /**
   * A lasting connection to the same place. Unless `options` say otherwise, it has the same command timeout, and no
   * limit on its silence.
   */
  override duplicate(options?: Partial<RedisOptions>): Redis {
    return super.duplicate({ commandTimeout: this.patience.commandTimeoutMs, ...options });
  }

  #giveUp(command: Command): void {
    command.reject(new Error('Command timed out'));
    const { stream } = this as { readonly stream?: Redis['stream'] };
    if (stream && !this.#isWatched) this.#watch(stream);
  }

  /**
   * Ends a connection that receives nothing for `silenceMs` after a command was given up: such commands still wait in
   * its queue. Stops watching when the queue is empty.
   */
  #watch(stream: Redis['stream']): void {
    const { silenceMs } = this.patience;
    let timer: NodeJS.Timeout | undefined;
    let heardAt = performance.now();
    const heard = () => (heardAt = performance.now());
    const stop = () => {
      clearTimeout(timer);
      stream.off('data', heard).off('close', stop);
      this.#isWatched = false;
    };
    const look = () => {
      const left = heardAt + silenceMs - performance.now();
      if (stream.destroyed || this.commandQueue.length === 0) return stop();
      if (left > 0) return lookIn(left);
      stop();
      stream.destroy(new Error(`Redis has sent nothing for ${silenceMs} ms`));
    };
    const lookIn = (ms: number) => {
      timer = setTimeout(() => setImmediate(look), ms).unref();
    };
    this.#isWatched = true;
    stream.on('data', heard).once('close', stop);
    lookIn(silenceMs);
  }
}
