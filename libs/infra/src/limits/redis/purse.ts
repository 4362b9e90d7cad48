import type { Policy } from '../limits.js';
import type { Taking } from '../metered-limits.js';

/** How many points a purse got of those that it asked for, how many the store has left, and when its window ends. */
export interface Filling {
  readonly points: number;
  readonly left: number;
  /** By `performance.now()`. */
  readonly endsAt: number;
}

/** Asks the store for points; undefined: it gave no answer in time, or refused. Never rejects. */
export type Fill = (points: number) => Promise<Filling | undefined>;

/** When a caller may ask again that is refused because as many wait already as a window has points. */
const CROWDED_MS = 1_000;

/**
 * The points of one payer that this process has taken from the store and not given out. It asks for a block at a time,
 * or for as many as callers wait; it asks once at a time, and those who come meanwhile share the next request. What is
 * not given out ends with its window, so all processes together never give more than the policy allows.
 */
export class Purse {
  private held = 0;
  private left = 0;
  private endsAt = -Infinity;
  private waiting: ((taking: Taking | undefined) => void)[] = [];
  private isFilling = false;

  constructor(
    private readonly policy: Policy,
    private readonly block: number,
    private readonly fill: Fill,
  ) {}

  /**
   * A point, or a refusal; undefined if only the store could tell and it cannot be asked. A payer whose points are used
   * up is refused without asking until its window ends; so is a caller while as many wait as a window has points.
   */
  take(): Taking | Promise<Taking | undefined> {
    const isRunning = performance.now() < this.endsAt;
    if (isRunning && (this.held > 0 || this.left === 0)) return this.give();
    if (this.waiting.length >= this.policy.points) return { isGiven: false, remaining: 0, resetMs: CROWDED_MS };
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      if (!this.isFilling) void this.serve();
    });
  }

  private async serve(): Promise<void> {
    this.isFilling = true;
    await new Promise<void>((resolve) => process.nextTick(resolve)); // callers that come together ask together
    while (this.waiting.length > 0) {
      const filling = await this.fill(Math.max(this.block, this.waiting.length));
      if (filling) this.answer(filling);
      else for (const resolve of this.waiting.splice(0)) resolve(undefined);
    }
    this.isFilling = false;
  }

  /**
   * Answers all that waited when the store was asked, and those that came since, as far as it has told their answer.
   */
  private answer({ points, left, endsAt }: Filling): void {
    this.held = points;
    this.left = left;
    this.endsAt = endsAt;
    const answered = left === 0 ? this.waiting.length : points;
    for (const resolve of this.waiting.splice(0, answered)) resolve(this.give());
  }

  private give(): Taking {
    const resetMs = this.endsAt - performance.now();
    if (this.held === 0) return { isGiven: false, remaining: 0, resetMs };
    this.held -= 1;
    return { isGiven: true, remaining: this.held + this.left, resetMs };
  }
}
