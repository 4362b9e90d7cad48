import type { LeaseTimes } from './l1-leases.js';
import type { Partition } from './partition.js';

/** What the reply of an invalidating script says of those who have to follow it. */
export interface Audience {
  readonly clock: number;
  readonly tip: string;
  readonly membershipVersion: string;
  /** undefined: the same as at `membershipVersion`. */
  readonly members: readonly string[] | undefined;
  readonly birth: string;
  /** Whether somebody knows that every lease from before this birth has run out. */
  readonly isMature: boolean;
}

/** The members that do not follow up to the clock; `evict` removes those that have not asked for a lease since. */
export type AskPending = (
  partition: Partition,
  clock: number,
  members: readonly string[],
  evict: boolean,
) => Promise<string[]>;

interface Known {
  membershipVersion: string;
  members: readonly string[];
  birth: string;
  birthKnownSince: number;
}

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
  private readonly known = new Map<Partition, Known>();
  private readonly expected = new Map<string, Expected>();

  constructor(
    private readonly self: string,
    private readonly times: LeaseTimes,
    /** Whether this application uses L1s that must be waited for; without, only members that are there are. */
    private readonly isStrict: boolean,
    private readonly askPending: AskPending,
  ) {}

  /** The membership version to send along, so that the members travel only when they have changed. */
  membershipVersion(partition: Partition): string {
    return this.known.get(partition)?.membershipVersion ?? '';
  }

  /** The birth that this process has known for longer than a lease can last; '' if there is none. */
  matureBirth(partition: Partition): string {
    const known = this.known.get(partition);
    return known && performance.now() >= this.maturesAt(known) ? known.birth : '';
  }

  learnBirth(partition: Partition, birth: string): void {
    const known = this.known.get(partition) ?? { membershipVersion: '', members: [], birth: '', birthKnownSince: 0 };
    if (known.birth !== birth) this.known.set(partition, { ...known, birth, birthKnownSince: performance.now() });
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
    const { members, ...known } = this.learn(partition, audience);
    const expected = this.expected.get(audience.tip);
    try {
      const pending = new Set(members.filter((member) => member !== this.self));
      if (expected) await this.wait(partition, audience.clock, pending, expected, repliedAt);
      if (this.isStrict && !audience.isMature) await sleep(this.maturesAt(known) - performance.now());
    } finally {
      this.expected.delete(audience.tip);
    }
  }

  private async wait(
    partition: Partition,
    clock: number,
    pending: Set<string>,
    expected: Expected,
    repliedAt: number,
  ): Promise<void> {
    const deadline = repliedAt + this.times.leaseMs * 1.01 + 10;
    for (let look = FIRST_LOOK_MS; ; look *= 2) {
      for (const member of expected.acknowledged) pending.delete(member);
      if (pending.size === 0) return;
      const left = deadline - performance.now();
      if (left <= 0) break;
      await Promise.race([new Promise<void>((resolve) => (expected.notify = resolve)), sleep(Math.min(left, look))]);
      for (const member of expected.acknowledged) pending.delete(member);
      if (pending.size === 0) return;
      if (performance.now() < repliedAt + FIRST_LOOK_MS) continue;
      const still = await this.askPending(partition, clock, [...pending], false).catch(() => [...pending]);
      for (const member of [...pending]) if (!still.includes(member)) pending.delete(member);
    }
    // Their leases have run out, whatever they do. Removed, unless they have asked for a new one since, they delay nobody again.
    await this.askPending(partition, clock, [...pending], true).catch(() => []);
  }

  private learn(partition: Partition, { membershipVersion, members, birth }: Audience): Known {
    this.learnBirth(partition, birth);
    const known = this.known.get(partition) as Known;
    if (members) {
      known.members = members;
      known.membershipVersion = membershipVersion;
    }
    return known;
  }

  private maturesAt({ birthKnownSince }: Pick<Known, 'birthKnownSince'>): number {
    return birthKnownSince + this.times.leaseMs * 1.01 + 10;
  }
}

function sleep(ms: number): Promise<void> {
  return ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
}
