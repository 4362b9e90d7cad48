import { Chain, type Link } from './chain.js';
import type { Lane } from './lane.js';

/** The waiting lanes in the order of their turns: those below the share of one account, and those at or above it. */
export class Turns {
  private readonly below = new Chain<Lane>();
  private readonly above = new Chain<Lane>();

  constructor(private readonly linkOf: (lane: Lane) => Link<Lane>) {}

  /** Puts the lane where it belongs now; it keeps its place if that is where it is. */
  place(lane: Lane, isWaiting: boolean, isBelowShare: boolean): void {
    const link = this.linkOf(lane);
    const chain = !isWaiting ? undefined : isBelowShare ? this.below : this.above;
    if (link.chain === chain) return;
    if (chain) chain.append(link);
    else link.chain?.remove(link);
  }

  /** Moves the lane behind the others of its kind, because it has had its turn. */
  pass(lane: Lane): void {
    const link = this.linkOf(lane);
    link.chain?.append(link);
  }

  /** The lane whose turn it is; one above its share only if that is allowed to it. */
  first(mayExceed: (lane: Lane) => boolean): Lane | undefined {
    const { first } = this.below;
    if (first) return first;
    return this.above.first && mayExceed(this.above.first) ? this.above.first : undefined;
  }
}
