import { Chain } from './chain.js';
import type { Lane } from './lane.js';

/** Knows the lane with the most waiting requests, in constant time: lanes are kept by their length. */
export class LongestLanes {
  private readonly byLength: (Chain<Lane> | undefined)[] = [];
  private longest = 0;

  /** Call it after each request that joined the lane or left it. */
  update(lane: Lane): void {
    const { waiting, length } = lane;
    if (waiting === 0) length.chain?.remove(length);
    else (this.byLength[waiting] ??= new Chain()).append(length);
    this.longest = Math.max(this.longest, waiting);
    // A lane changes by one request at a time, so the next shorter length has a lane, or none waits at all.
    if ((this.byLength[this.longest]?.size ?? 0) === 0) this.longest = Math.max(0, this.longest - 1);
  }

  /** One of the longest lanes; undefined if no request waits. */
  get first(): Lane | undefined {
    return this.byLength[this.longest]?.first;
  }
}
