import { Redis, type Command, type RedisOptions } from 'ioredis';
import { Deadlines } from './deadlines.js';

type Writable = Parameters<Redis['sendCommand']>[1];

/** What a connection may take: after these milliseconds a command is given up, and a connection that brings nothing. */
export interface Patience {
  readonly commandTimeoutMs: number;
  readonly silenceMs: number;
}

/**
 * A connection that keeps what ioredis calls `commandTimeout` and `socketTimeout`, with one timer where ioredis starts two
 * for each command: measured, they cost 4 µs of a read that takes 30.
 */
export class BoundedRedis extends Redis {
  readonly #deadlines: Deadlines<Command>;
  /** Set while commands have been given up and the connection has brought nothing since. */
  #silence: NodeJS.Timeout | undefined;

  /** @param options with everything that says where Redis is, unless the URL does */
  constructor(
    url: string | undefined,
    options: RedisOptions,
    readonly patience: Patience,
  ) {
    super(...((url === undefined ? [options] : [url, options]) as [string, RedisOptions]));
    this.#deadlines = new Deadlines(patience.commandTimeoutMs, (command) => this.#giveUp(command));
  }

  override sendCommand(command: Command, stream?: Writable): unknown {
    const reply = super.sendCommand(command, stream);
    const deadline = this.#deadlines.add(command);
    const settled = () => this.#deadlines.settle(deadline);
    command.promise.then(settled, settled);
    return reply;
  }

  #giveUp(command: Command): void {
    command.reject(new Error('Command timed out'));
    this.#endIfSilent();
  }

  /** Commands that were given up still wait in the connection's queue; this ends a connection that answers nothing at all. */
  #endIfSilent(): void {
    const { stream } = this as { readonly stream?: Redis['stream'] };
    if (this.#silence || !stream) return;
    const { silenceMs, commandTimeoutMs } = this.patience;
    const stop = () => {
      clearTimeout(this.#silence);
      this.#silence = undefined;
      stream.off('data', stop).off('close', stop);
    };
    stream.once('data', stop).once('close', stop);
    this.#silence = setTimeout(
      () => {
        stop();
        stream.destroy(new Error(`Redis has not answered for ${silenceMs} ms`));
      },
      Math.max(0, silenceMs - commandTimeoutMs),
    ).unref();
  }
}
