import { Logger } from '@nestjs/common';
import type { OpenStream } from './open-streams.js';

/**
 * How many streams are looked at together when all must be: their mappings may all have been dropped, and then each
 * look costs the source a query.
 */
const LOOKS_AT_ONCE = 4;

/**
 * Closes streams whose users no longer act for their accounts: a changed account may name another user. A look that
 * fails decides nothing; the next periodic one does.
 */
export class AccountLooks {
  private readonly logger = new Logger(AccountLooks.name);
  /** Streams that wait for a look that began after they were put here. */
  private readonly waiting = new Set<OpenStream>();
  private running = 0;

  /** Looks at this stream at once, and closes it if its user no longer acts for the account. Never rejects. */
  async look({ stream, subscriber }: OpenStream): Promise<void> {
    try {
      if (!(await subscriber.isStillAllowed())) await stream.close('account-changed');
    } catch (error) {
      this.logger.debug(`whose stream it is could not be looked up: ${(error as Error).message}`);
    }
  }

  /** Looks at all these streams, a few at a time. A stream that waits already is not looked at twice. */
  lookAtAll(streams: Iterable<OpenStream>): void {
    for (const opened of streams) this.waiting.add(opened);
    while (this.running < LOOKS_AT_ONCE && this.waiting.size > 0) void this.work();
  }

  /** Call it for a stream that has ended. */
  forget(opened: OpenStream): void {
    this.waiting.delete(opened);
  }

  private async work(): Promise<void> {
    this.running += 1;
    for (let next = this.next(); next; next = this.next()) await this.look(next);
    this.running -= 1;
  }

  private next(): OpenStream | undefined {
    const [opened] = this.waiting;
    if (opened) this.waiting.delete(opened);
    return opened;
  }
}
