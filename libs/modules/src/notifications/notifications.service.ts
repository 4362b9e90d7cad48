import { NoticeBoard } from '@bff/infra/notices/notice-board';
import { NoticeBoardUnavailableError } from '@bff/infra/notices/notices.errors';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { RESYNC, type Notification } from './notification.types.js';

/** How long to wait after a failure before the board is tried again. */
const RETRY_MS = 1_000;

/**
 * Tells browsers, through the notice board, what is worth reading again. Call it after the invalidation was
 * acknowledged: a browser that reads because of it then gets the source's present data.
 */
@Injectable()
export class Notifications implements OnApplicationShutdown {
  private readonly logger = new Logger(Notifications.name);
  private retry: NodeJS.Timeout | undefined;

  constructor(@Inject(NoticeBoard) private readonly board: NoticeBoard) {}

  /**
   * Resolves when the notices are on the board, or could not be published. It never rejects, because the change has
   * already happened: a notice that cannot be published becomes a `resync` for all users as soon as the board is back,
   * unless this process ends before that.
   *
   * Notices with the same name and audience are published as one, with the newest source: a batch of hundreds of
   * changes costs the board no more than one. With the oldest source, newer changes that arrive together with repeated
   * ones would count as already published.
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
    if (this.retry) return; // one resync covers all failures
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

/** The last of each name and audience, in the order in which these first appeared. */
function newestOfEach(notifications: readonly Notification[]): Notification[] {
  const newest = new Map<string, Notification>();
  for (const notification of notifications) {
    newest.set(`${notification.name} ${notification.audience ?? '*'}`, notification);
  }
  return [...newest.values()];
}
