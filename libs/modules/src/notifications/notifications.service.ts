import { NoticeBoard } from '@bff/infra/notices/notice-board';
import { NoticeBoardUnavailableError } from '@bff/infra/notices/notices.errors';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { RESYNC, type Notification } from './notification.types.js';

/** How long after a failure the board is tried again. */
const RETRY_MS = 1_000;

/**
 * Tells browsers, through the notice board, what is worth reading again. Call it after the invalidation was acknowledged:
 * whoever reads because of it then reads what the source says now.
 */
@Injectable()
export class Notifications implements OnApplicationShutdown {
  private readonly logger = new Logger(Notifications.name);
  private retry: NodeJS.Timeout | undefined;

  constructor(@Inject(NoticeBoard) private readonly board: NoticeBoard) {}

  /**
   * Resolves when it is on the board. It never rejects, because what happened has happened: what cannot be told now becomes
   * a `resync` of everybody as soon as the board is back, so that nobody waits for a notice that was lost.
   *
   * Several with the same name and audience are told as one, by the newest source: a batch of hundreds of changes asks the
   * board no more than one change would. Not by the oldest: of changes that are handed over again together with newer ones,
   * the newer ones would be taken for told.
   */
  async tell(notifications: readonly Notification[]): Promise<void> {
    if (notifications.length === 0) return;
    try {
      await this.board.publish(newestOfEach(notifications));
    } catch (error) {
      this.owe(error);
    }
  }

  onApplicationShutdown(): void {
    clearTimeout(this.retry);
  }

  private owe(error: unknown): void {
    if (this.retry) return; // one resync makes good for all
    const text = 'browsers could not be told of a change; they will be told to read everything again';
    if (error instanceof NoticeBoardUnavailableError) this.logger.warn(`${text}: ${error.message}`);
    else this.logger.error({ err: error }, text);
    this.retry = this.payLater();
  }

  private payLater(): NodeJS.Timeout {
    return setTimeout(() => {
      this.board.publish([{ name: RESYNC, audience: null }]).then(
        () => (this.retry = undefined),
        () => (this.retry = this.payLater()),
      );
    }, RETRY_MS).unref();
  }
}

/** The last of each name and audience, in the order in which these came first. */
function newestOfEach(notifications: readonly Notification[]): Notification[] {
  const newest = new Map<string, Notification>();
  for (const notification of notifications) {
    newest.set(`${notification.name} ${notification.audience ?? '*'}`, notification);
  }
  return [...newest.values()];
}
