import type { LeaseTimes } from './l1-leases.js';
import type { Partition } from '../partition/partition.js';

/** An invalidation that the store has carried out, and the L1s that must follow it. */
export interface Audience {
  readonly clock: number;
  readonly tip: string;
  readonly membership: Membership;
  /** Names the gate's history. */
  readonly born: number;
  /** Whether some process knows that every lease from before this birth has run out. */
  readonly isMature: boolean;
}

/** The processes listed with a `strict` L1, at this version of the list. */
export interface Membership {
  readonly version: string;
  readonly members: readonly string[];
}

/**
 * Asks which of these members have not followed up to the clock; `evict` removes those of them that have requested no
 * lease since, if the history is still that of this birth.
 */
export type AskPending = (
  partition: Partition,
  at: { readonly clock: number; readonly born: number },
  members: readonly string[],
  evict: boolean,
) => Promise<{ readonly born: number; readonly members: readonly string[] }>;

interface Birth {
  readonly born: number;
  readonly knownSince: number;
}

const NOBODY: Membership = { version: '', members: [] };

/** The members that have acknowledged one invalidation so far. They may do so before the script's reply comes. */
interface Expected {
  readonly acknowledged: Set<string>;
  notify: () => void;
}

/** How long after the reply the store is first asked which members still owe; each further wait is twice as long. */
const FIRST_LOOK_MS = 50;

/**
 * Waits until no other process's `strict` L1 can serve the old value of an invalidation that the store has carried out:
 * each has followed or left, or its lease has run out on this process' monotonic clock (docs/concepts/l1.md).
 *
 * A newly born gate has lost its members, but not their leases: until some process has known it for a whole lease and
 * a sweep has recorded that, an invalidation under `isStrict` waits until its own process has known it that long (model
 * `strict.pml`).
 */
export class L1Acknowledgements {
  private readonly memberships = new Map<Partition, Membership>();
  private readonly births = new Map<Partition, Birth>();
  private readonly expected = new Map<string, Expected>();

  constructor(
    private readonly self: string,
    private readonly times: LeaseTimes,
    /**
     * Whether invalidations also wait until a newly born gate has been known for a lease: its lost members may still
     * serve old values. Listed members are waited for in any case.
     */
    private readonly isStrict: boolean,
    private readonly askPending: AskPending,
  ) {}

  /** The last known membership. Requests carry its version, so that the members travel only when they have changed. */
  membership(partition: Partition): Membership {
    return this.memberships.get(partition) ?? NOBODY;
  }

  /** The birth that this process has known for longer than any lease lasts; undefined if none. */
  matureBirth(partition: Partition): number | undefined {
    const birth = this.births.get(partition);
    return birth && performance.now() >= this.maturesAt(birth) ? birth.born : undefined;
  }

  /** Records the birth that a reply shows; its time counts from the first reply that showed it. */
  learnBirth(partition: Partition, born: number): Birth {
    const known = this.births.get(partition);
    if (known?.born === born) return known;
    const birth = { born, knownSince: performance.now() };
    this.births.set(partition, birth);
    return birth;
  }

  /** Call it before the script with this tip is sent: acknowledgements may precede the reply. */
  expect(tip: string): void {
    this.expected.set(tip, { acknowledged: new Set(), notify: () => undefined });
  }

  /** Ends the wait for acknowledgements of this tip. */
  forget(tip: string): void {
    this.expected.delete(tip);
  }

  /** A member acknowledges that it has followed these tips. */
  receive(member: string, tips: readonly string[]): void {
    for (const tip of tips) {
      const expected = this.expected.get(tip);
      expected?.acknowledged.add(member);
      expected?.notify();
    }
  }

  /** Waits as the class says: at most about one lease. */
  async settled(partition: Partition, audience: Audience): Promise<void> {
    const repliedAt = performance.now();
    const birth = this.learnBirth(partition, audience.born);
    this.memberships.set(partition, audience.membership);
    const expected = this.expected.get(audience.tip);
    try {
      if (expected) await this.wait(partition, audience, expected, repliedAt);
      if (this.isStrict && !audience.isMature) await sleep(this.maturesAt(birth) - performance.now()).done;
    } finally {
      this.expected.delete(audience.tip);
    }
  }

  private async wait(partition: Partition, audience: Audience, expected: Expected, repliedAt: number): Promise<void> {
    const { born, membership } = audience;
    const pending = new Set(membership.members.filter((member) => member !== this.self));
    const deadline = repliedAt + this.times.leaseMs * 1.01 + 10;
    let look = FIRST_LOOK_MS;
    let nextLookAt = repliedAt + look;
    let isSameHistory = true;
    while (this.settleAcknowledged(pending, expected) > 0 && performance.now() < deadline) {
      const timer = sleep(Math.min(deadline, nextLookAt) - performance.now());
      await Promise.race([new Promise<void>((resolve) => (expected.notify = resolve)), timer.done]);
      timer.cancel();
      if (performance.now() < nextLookAt || !isSameHistory) continue;
      const still = await this.askPending(partition, audience, [...pending], false).catch(() => undefined);
      // Another birth: this gate has lost its members, but not their leases. Only their own acknowledgements or the
      // deadline count now.
      if (still && still.born !== born) isSameHistory = false;
      else if (still) for (const member of [...pending]) if (!still.members.includes(member)) pending.delete(member);
      look *= 2;
      nextLookAt = isSameHistory ? performance.now() + look : deadline;
    }
    // The leases of members still pending have run out. Those that have requested no new one are removed, so that they
    // delay no later invalidation.
    if (pending.size === 0 || !isSameHistory) return;
    void this.askPending(partition, audience, [...pending], true).catch(() => undefined);
  }

  /** Removes the members that have acknowledged; returns how many are left. */
  private settleAcknowledged(pending: Set<string>, { acknowledged }: Expected): number {
    for (const member of acknowledged) pending.delete(member);
    return pending.size;
  }

  private maturesAt({ knownSince }: Birth): number {
    return knownSince + this.times.leaseMs * 1.01 + 10;
  }
}

/** `done` resolves after `ms`; after `cancel` it never does, and no timer remains. */
function sleep(ms: number): { readonly done: Promise<void>; cancel(): void } {
  let timer: NodeJS.Timeout | undefined;
  const done = new Promise<void>((resolve) => (timer = setTimeout(resolve, Math.max(0, ms))));
  return { done, cancel: () => clearTimeout(timer) };
}
