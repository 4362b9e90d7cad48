import type { ServerResponse } from 'node:http';
import type { Outlet } from './event-stream.js';

/** How long the browser may take to read the last event before the connection is destroyed. */
const END_MS = 1_000;

/** Writes to an HTTP response whose head has been sent. */
export class ResponseOutlet implements Outlet {
  constructor(private readonly response: ServerResponse) {
    // A browser that leaves in the middle of a write is no error: `close` reports it.
    response.on('error', () => undefined);
  }

  /** Bytes in the response and its socket, without those that the kernel has taken over. */
  get bufferedBytes(): number {
    return this.response.writableLength;
  }

  write(text: string): void {
    this.response.write(text);
  }

  end(text: string): Promise<void> {
    return new Promise((resolve) => {
      const overdue = setTimeout(() => this.response.destroy(), END_MS).unref();
      this.response.once('close', () => {
        clearTimeout(overdue);
        resolve();
      });
      if (this.response.destroyed) resolve();
      else this.response.end(text);
    });
  }
}
