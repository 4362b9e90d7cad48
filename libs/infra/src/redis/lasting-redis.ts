import { Redis, type RedisOptions } from 'ioredis';
import { retryDelayMs } from './retry-delay.js';

/**
 * A connection that ends when its owner says so, by `disconnect()` or `quit()`, and never by itself: ioredis gives one up for
 * good when an attempt to connect cannot even begin (5.11.1: a connector that rejects). Here that is one more failed attempt.
 * Its duplicates last likewise.
 */
export class LastingRedis extends Redis {
  #mayEnd = false;
  #revivals = 0;
  #revival: NodeJS.Timeout | undefined;

  /** @param options with everything that says where Redis is, unless the URL does; it must connect lazily */
  constructor(url: string | undefined, options: RedisOptions) {
    super(url as string, { ...options, lazyConnect: true }); // an argument that is undefined is passed over
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
      this.connect().catch(() => undefined); // its events tell; it is tried again
    }, retryDelayMs(this.#revivals));
  }
}
