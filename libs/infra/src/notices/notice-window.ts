import type { Notice } from './notice-board.js';

/** Name of the first entry of a board: it guarantees a position to resume from. Followers never receive it. */
export const BEGINNING = '';

/**
 * The newest notices of a board in this process. Once there are more than `max` and a tenth, all but the newest `max`
 * are dropped.
 */
export class NoticeWindow {
  private notices: Notice[] = [];
  /** For the id of each notice in the window: how many notices were appended before it. */
  private readonly places = new Map<string, number>();
  private dropped = 0;

  constructor(private readonly max: number) {}

  get newest(): Notice | undefined {
    return this.notices.at(-1);
  }

  has(id: string): boolean {
    return this.places.has(id);
  }

  append(notice: Notice): void {
    this.places.set(notice.id, this.dropped + this.notices.length);
    this.notices.push(notice);
    if (this.notices.length > this.max * 1.1) this.trim();
  }

  /** The notices after this one for everybody or these audiences, in order; undefined if it is not in the window. */
  since(id: string, audiences: readonly string[]): readonly Notice[] | undefined {
    const place = this.places.get(id);
    if (place === undefined) return undefined;
    return this.notices
      .slice(place - this.dropped + 1)
      .filter(({ name, audience }) => name !== BEGINNING && (audience === null || audiences.includes(audience)));
  }

  clear(): void {
    this.dropped += this.notices.length;
    this.notices = [];
    this.places.clear();
  }

  /** Drops many at once: moving the rest costs more than dropping one. */
  private trim(): void {
    for (const { id } of this.notices.splice(0, this.notices.length - this.max)) {
      this.places.delete(id);
      this.dropped += 1;
    }
  }
}
