import { randomUUID } from 'node:crypto';
import type { Dependency } from '../../dependencies.js';
import type { StartPoint } from '../../protocol/cache-store.js';

/**
 * The invalidation clock and the last invalidations, which judge every commit. It holds at most `windowMax`
 * dependencies: when it forgets one, builds that began before that invalidation can no longer be judged, and their
 * commits are refused.
 */
export class InvalidationWindow {
  private clock = 1;
  private floor = 1;
  /** Dependency → clock of its last invalidation, the oldest first. */
  private readonly last = new Map<Dependency, number>();
  /**
   * Names this history. In Redis each invalidation has a nonce of its own, because a failover may fork the history at
   * any of them. A history in one process cannot be forked, so one nonce, made at birth, does the same work.
   */
  private readonly tip = randomUUID();

  constructor(private readonly windowMax: number) {}

  /** The start point of a fetch that has not been sent yet. */
  startPoint(at: number): StartPoint {
    return { clock: this.clock, tip: this.tip, at };
  }

  /** Ticks, and remembers that these dependencies were invalidated at this tick. Returns the new clock. */
  tick(dependencies: Iterable<Dependency>): number {
    this.clock += 1;
    for (const d of dependencies) {
      this.last.delete(d); // keeps the map in the order of the clock
      this.last.set(d, this.clock);
    }
    for (const [d, clock] of this.last) {
      if (this.last.size <= this.windowMax) break;
      this.floor = clock;
      this.last.delete(d);
    }
    return this.clock;
  }

  /** Whether the start point belongs to this history, and the window still reaches back to it. */
  canJudge({ clock, tip }: StartPoint): boolean {
    return tip === this.tip && clock >= this.floor && clock <= this.clock;
  }

  /**
   * Whether one of the dependencies was invalidated after the start point. Only for a start point that `canJudge`
   * accepts.
   */
  isOvertaken({ clock }: StartPoint, dependencies: Iterable<Dependency>): boolean {
    for (const d of dependencies) if ((this.last.get(d) ?? 0) > clock) return true;
    return false;
  }

  /**
   * Whether a build that began at `start` began before the tick `clock`. A start point of another history counts as
   * earlier.
   */
  isBefore(start: StartPoint, clock: number): boolean {
    return start.tip !== this.tip || start.clock < clock;
  }
}
