import { Redis, type RedisOptions } from 'ioredis';

/**
 * Maximum delay between two attempts to connect. It bounds how long a connection stays away once Redis is back, and a
 * dead Redis sees few attempts.
 */
const RETRY_DELAY_MAX_MS = 500;
const RETRY_DELAY_FIRST_MS = 25;

/**
 * A connection that ends only when its owner calls `disconnect()` or `quit()`. ioredis ends a client for good when an
 * attempt to connect cannot even begin (5.11.1: a connector that rejects); here that counts as one more failed attempt.
 * Its duplicates last likewise.
 */
export class LastingRedis extends Redis {
  #mayEnd = false;
  #revivals = 0;
  #revival: NodeJS.Timeout | undefined;

  /** @param options must say where Redis is, unless the URL does; the connection is always lazy */
  constructor(url: string | undefined, options: RedisOptions) {
    super(url as string, { ...options, lazyConnect: true }); // ioredis ignores an undefined argument
    this.on('ready', () => (this.#revivals = 0));
    this.on('end', () => this.#revive());
  }

  override disconnect(reconnect = false): void {
    if (!reconnect) this.#end();
    if (this.status !== 'end') super.disconnect(reconnect);
  }

  override quit(): Promise<'OK'> {
    this.#end();
    return super.quit();
  }

  override duplicate(options?: Partial<RedisOptions>): Redis {
    return new LastingRedis(undefined, { ...this.options, ...options });
  }

  #end(): void {
    this.#mayEnd = true;
    clearTimeout(this.#revival);
  }

  #revive(): void {
    if (this.#mayEnd) return;
    this.#revivals += 1;
    clearTimeout(this.#revival);
    this.#revival = setTimeout(() => {
      this.connect().catch(() => undefined); // failures arrive as events; another attempt follows
    }, retryDelayMs(this.#revivals));
  }
}

/** Exponential from 25 ms to at most 500 ms, each randomly between half and all of it, so that processes spread. */
export function retryDelayMs(attempt: number): number {
  const full = Math.min(RETRY_DELAY_MAX_MS, RETRY_DELAY_FIRST_MS * 2 ** Math.min(attempt - 1, 10));
  return Math.ceil(full * (0.5 + Math.random() / 2));
}
