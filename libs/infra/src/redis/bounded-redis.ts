import type { Command, Redis, RedisOptions } from 'ioredis';
import { Deadlines } from './deadlines.js';
import { LastingRedis } from './lasting-redis.js';

type Writable = Parameters<Redis['sendCommand']>[1];

/** When a command is given up, and when, after the first that was, a connection that brings nothing. In milliseconds. */
export interface Patience {
  readonly commandTimeoutMs: number;
  readonly silenceMs: number;
}

/**
 * A connection that keeps what ioredis calls `commandTimeout` and `socketTimeout`, with one timer where ioredis starts two
 * for each command: measured, they cost 4 µs of a read that takes 30. What has arrived while this process stood still is read
 * before anything counts as late.
 */
export class BoundedRedis extends LastingRedis {
  readonly #deadlines: Deadlines<Command>;
  #isWatched = false;

  /** @param options with everything that says where Redis is, unless the URL does */
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
    // Not by a handler of its promise: then a rejection that nobody handles would look handled.
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

  /** A connection to the same place that lasts likewise. Its commands have the same time, unless `options` say otherwise; its silence has no bound. */
  override duplicate(options?: Partial<RedisOptions>): Redis {
    return super.duplicate({ commandTimeout: this.patience.commandTimeoutMs, ...options });
  }

  #giveUp(command: Command): void {
    command.reject(new Error('Command timed out'));
    const { stream } = this as { readonly stream?: Redis['stream'] };
    if (stream && !this.#isWatched) this.#watch(stream);
  }

  /**
   * Commands that were given up still wait in the connection's queue. This ends a connection that brings nothing at all for
   * so long, counted from the first of them; it stops watching when nothing waits any more.
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
