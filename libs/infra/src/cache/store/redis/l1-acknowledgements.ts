import type { LeaseTimes } from './l1-leases.js';
import type { Partition } from './partition.js';

/** What the reply of an invalidating script says of those who have to follow it. */
export interface Audience {
  readonly clock: number;
  readonly tip: string;
  readonly membership: Membership;
  /** Names the history of the gate. */
  readonly born: number;
  /** Whether somebody knows that every lease from before this birth has run out. */
  readonly isMature: boolean;
}

/** Who held leases when the membership had this version. */
export interface Membership {
  readonly version: string;
  readonly members: readonly string[];
}

/**
 * The members that do not follow up to the clock, in the history of this birth; `evict` removes those that have not asked for
 * a lease since.
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

/** Word from members that came before or after the script's own reply. */
interface Expected {
  readonly acknowledged: Set<string>;
  notify: () => void;
}

const FIRST_LOOK_MS = 50;

/**
 * Waits, for an invalidation that the store has carried out, until no L1 can serve the old value any more: every member has
 * followed it, or its lease has run out on this process' monotonic clock (HITS-AND-L1 §2.3).
 *
 * A gate that was just born has lost its members, not their leases; until somebody has known it for a whole lease, one whole
 * lease is waited (CORRECTIONS 4).
 */
export class L1Acknowledgements {
  private readonly memberships = new Map<Partition, Membership>();
  private readonly births = new Map<Partition, Birth>();
  private readonly expected = new Map<string, Expected>();

  constructor(
    private readonly self: string,
    private readonly times: LeaseTimes,
    /** Whether this application uses L1s that must be waited for; without, only members that are there are. */
    private readonly isStrict: boolean,
    private readonly askPending: AskPending,
  ) {}

  /** The membership as it is known: its version is sent along, so that the members travel only when they have changed. */
  membership(partition: Partition): Membership {
    return this.memberships.get(partition) ?? NOBODY;
  }

  /** The birth that this process has known for longer than a lease can last; undefined if there is none. */
  matureBirth(partition: Partition): number | undefined {
    const birth = this.births.get(partition);
    return birth && performance.now() >= this.maturesAt(birth) ? birth.born : undefined;
  }

  /** A reply has told the birth of the gate; it is known from its first telling on. */
  learnBirth(partition: Partition, born: number): Birth {
    const known = this.births.get(partition);
    if (known?.born === born) return known;
    const birth = { born, knownSince: performance.now() };
    this.births.set(partition, birth);
    return birth;
  }

  /** Call it before the script with this tip is sent: word of it may come before the reply. */
  expect(tip: string): void {
    this.expected.set(tip, { acknowledged: new Set(), notify: () => undefined });
  }

  /** The script failed: nobody waits any more. */
  forget(tip: string): void {
    this.expected.delete(tip);
  }

  /** A member says which tips it has followed. */
  receive(member: string, tips: readonly string[]): void {
    for (const tip of tips) {
      const expected = this.expected.get(tip);
      expected?.acknowledged.add(member);
      expected?.notify();
    }
  }

  /** Resolves when no L1 can serve what this invalidation dropped; after a lease at the latest. */
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
      // Another birth: this gate has lost its members, but not their leases. Only their own word counts now, or the time.
      if (still && still.born !== born) isSameHistory = false;
      else if (still) for (const member of [...pending]) if (!still.members.includes(member)) pending.delete(member);
      look *= 2;
      nextLookAt = isSameHistory ? performance.now() + look : deadline;
    }
    // Their leases have run out, whatever they do. Removed, unless they have asked for a new one since, they delay nobody again.
    if (pending.size === 0 || !isSameHistory) return;
    void this.askPending(partition, audience, [...pending], true).catch(() => undefined);
  }

  /** Takes out those that have said that they followed; how many are left. */
  private settleAcknowledged(pending: Set<string>, { acknowledged }: Expected): number {
    for (const member of acknowledged) pending.delete(member);
    return pending.size;
  }

  private maturesAt({ knownSince }: Birth): number {
    return knownSince + this.times.leaseMs * 1.01 + 10;
  }
}

/** Resolves after the time; a cancelled one never does, and leaves no timer behind. */
function sleep(ms: number): { readonly done: Promise<void>; cancel(): void } {
  let timer: NodeJS.Timeout | undefined;
  const done = new Promise<void>((resolve) => (timer = setTimeout(resolve, Math.max(0, ms))));
  return { done, cancel: () => clearTimeout(timer) };
}
