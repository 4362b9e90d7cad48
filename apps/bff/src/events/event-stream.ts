import type { Notice } from '@bff/infra/notices/notice-board';
import { RESYNC } from '@bff/modules/notifications/notification.types';
import { frame, type ClosingReason } from './event-frames.js';

/** The receiver of a stream's text. */
export interface Outlet {
  write(text: string): void;
  /** Bytes written that the browser has not taken yet. */
  readonly bufferedBytes: number;
  /**
   * Writes the last text and ends the connection. Resolves when it has ended, which does not wait long for a browser
   * that does not read.
   */
  end(text: string): Promise<void>;
}

export interface EventStreamOptions {
  /**
   * How long notices wait after the last ones were written. The newest of each kind is then sent for all that wait. A
   * heartbeat sends them earlier.
   */
  readonly coalesceMs: number;
  readonly bufferMaxBytes: number;
  readonly retryMs: number;
}

/** Why everything must be read again. */
export type ResyncReason = 'unknown-last-event-id' | 'notices-lost';

/**
 * A resync makes every browser read data of its own, and so does a notice to all users unless it concerns the catalog.
 * So that they do not all read at once, each browser picks an instant within this time.
 */
const SPREAD_MS = 10_000;

/**
 * The event stream of one browser. A notice says that data changed but not what, so waiting notices of one kind merge
 * into one. The number of kinds bounds the waiting notices, and `bufferMaxBytes` the text that the browser has not
 * taken yet.
 */
export class EventStream {
  /** The newest waiting notice of each name, in sending order. */
  private readonly waiting = new Map<string, Notice>();
  private state: 'opening' | 'open' | 'closed' = 'opening';
  private toldAt = -Infinity;
  private timer: NodeJS.Timeout | undefined;
  /** Number of notices written. */
  told = 0;

  constructor(
    private readonly outlet: Outlet,
    private readonly options: EventStreamOptions,
    private readonly onClosed: (reason: ClosingReason | undefined) => void,
  ) {}

  /**
   * Starts sending. `missed`: the notices since the browser's last event; undefined: unknown, so the browser must read
   * everything again. `position`: where the browser can resume even if no notice comes.
   */
  open(missed: readonly Notice[] | undefined, position: string | undefined, isResumed: boolean): void {
    if (this.state !== 'opening') return;
    this.state = 'open';
    this.outlet.write(frame({ retryMs: this.options.retryMs, comment: 'evergreen' }));
    if (missed === undefined) {
      this.waiting.clear();
      this.write(frame({ id: position, event: RESYNC, data: resync('unknown-last-event-id') }));
      return;
    }
    // Notices that came while the stream was opening follow the missed ones; one that is among both is sent once.
    const newer = [...this.waiting.values()];
    this.waiting.clear();
    for (const notice of [...missed, ...newer]) this.wait(notice);
    this.write(frame({ ...(this.waiting.size === 0 && { id: position }), event: 'ready', data: { isResumed } }));
    this.flush();
  }

  tell(notice: Notice): void {
    if (this.state === 'closed') return;
    this.wait(notice);
    if (this.state === 'opening' || this.timer) return;
    const waitMs = this.toldAt + this.options.coalesceMs - performance.now();
    if (waitMs <= 0) this.flush();
    else this.timer = setTimeout(() => this.flush(), waitMs).unref();
  }

  /** Sends what waits, shows that the stream lives, and moves the place to resume from to `position`. */
  heartbeat(position: string | undefined): void {
    if (this.state !== 'open') return;
    this.flush();
    this.write(frame({ comment: 'heartbeat', id: position }));
  }

  /** Ends the stream with a last event that says why and when to reconnect; resolves when its connection has ended. */
  async close(reason: ClosingReason, retryMs = this.options.retryMs): Promise<void> {
    if (this.state === 'closed') return;
    const ended = this.outlet.end(frame({ retryMs, event: 'closing', data: { reason } }));
    this.closed(reason);
    await ended;
  }

  /** Call it when the browser has left. */
  abandoned(): void {
    if (this.state !== 'closed') this.closed(undefined);
  }

  private wait(notice: Notice): void {
    if (notice.name === RESYNC) this.waiting.clear(); // a resync covers all of them
    this.waiting.delete(notice.name);
    this.waiting.set(notice.name, notice);
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const notices = [...this.waiting.values()];
    this.waiting.clear();
    if (notices.length === 0) return;
    this.toldAt = performance.now();
    this.told += notices.length;
    this.write(notices.map(frameOf).join(''));
  }

  private write(text: string): void {
    if (this.state !== 'open') return;
    if (this.outlet.bufferedBytes > this.options.bufferMaxBytes) void this.close('slow-consumer');
    else this.outlet.write(text);
  }

  private closed(reason: ClosingReason | undefined): void {
    this.state = 'closed';
    clearTimeout(this.timer);
    this.waiting.clear();
    this.onClosed(reason);
  }
}

function frameOf({ id, name, audience, at }: Notice): string {
  if (name === RESYNC) return frame({ id, event: RESYNC, data: resync('notices-lost') });
  const isOfEach = audience === null && name !== 'catalog.changed';
  return frame({
    id,
    event: name,
    data: { at: new Date(at).toISOString(), ...(isOfEach && { spreadMs: SPREAD_MS }) },
  });
}

function resync(reason: ResyncReason): object {
  return { reason, spreadMs: SPREAD_MS };
}
