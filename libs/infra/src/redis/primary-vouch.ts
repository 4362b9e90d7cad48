import { Cluster } from 'ioredis';
import { keySlot } from './vouching/key-slot.js';
import { sentinelsOf, type RedisClient } from './redis-client.js';
import { FULL_TRUST, Trust } from './trust.js';
import { ClusterTopology } from './vouching/cluster-topology.js';
import { SentinelTopology } from './vouching/sentinel-topology.js';
import type { Receiver, Topology } from './vouching/topology.js';
import { Witnesses, type Heard } from './vouching/witnesses.js';

/**
 * The use of our primary while too few Sentinels, or masters of the Cluster, confirm it. `refuse`: nothing is read from
 * it and nothing acknowledged. `serve`: it is used unless one of them names a newer one or is about to replace it;
 * after a doubt, it is used again when enough of them have confirmed it, or after a second in which Redis answered and
 * none of them named another.
 */
export type OnSplit = 'serve' | 'refuse';

export interface VouchOptions {
  readonly onSplit: OnSplit;
  /**
   * With `refuse`, how long a vouch lasts, counted from when it was asked for. It must not exceed the time that the
   * first invalidations of a new primary wait.
   */
  readonly vouchMs: number;
  /**
   * Whether the connection is known not to answer; confirmations received meanwhile say nothing about the time after.
   */
  readonly isAway: () => boolean;
  /** Called when some place loses its trust. */
  readonly onLost: () => void;
}

interface Waiting {
  readonly place: number;
  readonly since: number;
  /** Whether the awaited confirmation is still possible. */
  readonly isPossible: () => boolean;
  readonly settle: (reason: string | undefined) => void;
}

/** The combined answers of the witnesses for one place. */
interface Verdict {
  readonly receiver: Receiver | undefined;
  /** The primary of the newest configuration that any witness knows. */
  readonly named: string | undefined;
  /** Voters that found our primary fine within the last `vouchMs`, and how many are needed. */
  readonly voters: number;
  readonly needed: number;
  /** The instant for which enough voters vouch. */
  readonly asOf: number;
  readonly isReplacing: boolean;
}

/** Interval between questions: a vouch survives two lost ones. */
const ASK_MS = 250;
/** If a tick (every `ASK_MS`) comes this long after the last one, the process stood still: what it knows may be old. */
const STALL_MS = 500;
/** How long `open` waits for the first vouch, and `serve` for enough witnesses after a doubt. */
const PATIENCE_MS = 1_000;
/** How long an acknowledgement waits for its confirmation, before its further looks; shorter when none is likely. */
const CONFIRM_MS = 1_000;
const CONFIRM_HOPELESS_MS = 300;
/** Maximum number of further looks, `CHANCE_MS` apart, for a confirmation while not every witness has answered. */
const CHANCES = 20;
const CHANCE_MS = 50;
/** Minimum time between two demands that the client look for its primary again. */
const LEAVE_MS = 500;
const TURNED =
  'the connection turned to another server before it was known whether the one that carried this out was the primary';
/** How long a word "is replacing" counts: a Sentinel gives an election up then (SENTINEL_ELECTION_TIMEOUT of Redis). */
const REPLACING_MS = 10_000;

/**
 * Tells whether the primary that this process reads from is still the primary, by asking those who decide: so many of
 * the Sentinels, or of the masters of the Cluster, that the others are too few to replace it (docs/decisions/0009,
 * model `deposed.pml`). A single Redis is always trusted: it has no witnesses, and a replacement behind its address
 * cannot be detected from here.
 */
export class PrimaryVouch {
  private readonly witnesses: Witnesses | undefined;
  private readonly trusts: readonly Trust[];
  /** By place: answers to questions asked before this instant do not count. */
  private readonly doubtedAt: number[];
  private readonly isSettled: boolean[];
  /** By place: whether it was trusted when last judged. */
  private readonly wasTrusted: boolean[];
  private readonly waiting = new Set<Waiting>();
  private timer: NodeJS.Timeout | undefined;
  private unwatch: (() => void) | undefined;
  private tickedAt = -Infinity;
  private leftAt = -Infinity;

  constructor(
    /** Undefined for a single Redis, which has no witnesses. */
    private readonly topology: Topology | undefined,
    private readonly options: VouchOptions,
  ) {
    this.witnesses = topology && new Witnesses(topology, () => this.judge());
    const places = Array.from({ length: topology?.places ?? 0 });
    this.trusts = places.map((_, place) => new Trust(() => this.reasonOf(place), topology?.serverOf(place)));
    this.doubtedAt = places.map(() => -Infinity);
    this.isSettled = places.map(() => false);
    this.wasTrusted = places.map(() => false);
  }

  /** Whether the primary can change detectably; if so, invalidations wait for young gates, with or without an L1. */
  get isNeeded(): boolean {
    return this.topology !== undefined;
  }

  /** The trust in the primary of the key with this index. */
  trustOf(index: number): Trust {
    return this.trusts[this.placeOf(index)] ?? FULL_TRUST;
  }

  /** Until when an L1 may serve answers of the primary: with `refuse`, no longer than the vouch lasts. */
  leaseEndOf(index: number): number {
    return this.options.onSplit === 'refuse' ? this.trustOf(index).until : Infinity;
  }

  /** Why some place is not trusted; undefined if all are. */
  get reason(): string | undefined {
    return this.trusts.find((trust) => !trust.holds())?.reason;
  }

  /** Starts asking. Resolves when every place is trusted, or after one second; after two if a witness is that slow. */
  async open(): Promise<void> {
    const { topology } = this;
    if (!topology) return;
    this.unwatch = topology.watch(
      () => this.doubt(),
      () => this.witnesses?.askAll(),
    );
    this.doubt();
    this.tickedAt = performance.now();
    this.timer = setInterval(() => this.tick(), ASK_MS).unref();
    this.witnesses?.askAll();
    await Promise.all(this.trusts.map((_, place) => this.confirmation(place, performance.now(), PATIENCE_MS)));
  }

  close(): void {
    clearInterval(this.timer);
    this.unwatch?.();
    this.witnesses?.close();
    for (const { settle } of this.waiting) settle('the store is closed');
    for (const trust of this.trusts) trust.until = -Infinity;
  }

  /** Discards every vouch that was asked for before now. */
  doubt(): void {
    if (!this.topology) return;
    const now = performance.now();
    this.trusts.forEach((trust, place) => {
      this.doubtedAt[place] = now;
      this.isSettled[place] = false;
      trust.until = -Infinity;
    });
    this.witnesses?.askAll();
  }

  /**
   * Confirms that `server` (`Trust.at` when the command was sent) was the primary when it carried the command out.
   * Resolves with undefined if so, else with the reason, at the latest once time is up. A confirmation of another
   * server, to which the client has turned meanwhile, does not count. `serve` asks nobody while there is no doubt.
   */
  async confirmed(index: number, server: unknown): Promise<string | undefined> {
    const trust = this.trustOf(index);
    if (!this.topology) return undefined;
    const isPossible = () => trust.at === server;
    if (!isPossible()) return TURNED;
    const holds = trust.holds();
    if (this.options.onSplit === 'serve' && holds) return undefined;
    const since = performance.now();
    this.witnesses?.askAll();
    const isHopeful = holds || this.options.onSplit === 'serve';
    return this.confirmation(this.placeOf(index), since, isHopeful ? CONFIRM_MS : CONFIRM_HOPELESS_MS, isPossible);
  }

  private placeOf(index: number): number {
    return this.trusts.length === 1 ? 0 : index;
  }

  private confirmation(
    place: number,
    since: number,
    withinMs: number,
    isPossible = () => true,
  ): Promise<string | undefined> {
    return new Promise((resolve) => {
      let chances = CHANCES;
      // A process with no time for its sockets has not seen the answers: turns of the event loop count too, not time
      // alone.
      const look = () => {
        if (chances-- === 0 || this.witnesses?.haveAnsweredSince(since))
          return waiting.settle(isPossible() ? this.reasonOf(place) : TURNED);
        this.witnesses?.askAll();
        timer = setTimeout(look, CHANCE_MS);
      };
      let timer = setTimeout(look, withinMs);
      const settle = (reason: string | undefined) => {
        clearTimeout(timer);
        this.waiting.delete(waiting);
        resolve(reason);
      };
      const waiting: Waiting = { place, since, isPossible, settle };
      this.waiting.add(waiting);
    });
  }

  private tick(): void {
    const now = performance.now();
    const stoodStill = now - this.tickedAt > STALL_MS;
    this.tickedAt = now;
    if (stoodStill) this.doubt();
    else this.witnesses?.askAll();
    this.judge();
  }

  private judge(): void {
    const heard = this.witnesses?.heard() ?? [];
    const verdicts = this.trusts.map((_, place) => this.verdict(place, heard));
    let isLost = false;
    verdicts.forEach((verdict, place) => {
      const trust = this.trusts[place] as Trust;
      trust.server = verdict.receiver?.server;
      trust.until = this.trustedUntil(verdict, place);
      const isTrusted = trust.holds();
      isLost ||= !isTrusted && this.wasTrusted[place] === true;
      this.wasTrusted[place] = isTrusted;
    });
    for (const { place, since, isPossible, settle } of this.waiting) {
      if (!isPossible()) continue; // a client of a Cluster may turn away for a moment, and back
      const { asOf } = verdicts[place] as Verdict;
      const isRight = this.options.onSplit === 'refuse' ? asOf >= since : this.isSettled[place];
      if (isRight && this.trusts[place]?.holds()) settle(undefined);
    }
    if (isLost) this.options.onLost();
  }

  private trustedUntil({ receiver, named, asOf, isReplacing }: Verdict, place: number): number {
    const now = performance.now();
    if (receiver && named !== undefined && named !== receiver.primary) {
      this.doubtedAt[place] = now;
      this.isSettled[place] = false;
      this.leave(now);
      return -Infinity;
    }
    if (!receiver) {
      // The client may hold on to a server that is gone: nothing is sent to it, so nothing else would correct it.
      this.leave(now);
      return -Infinity;
    }
    if (isReplacing) return -Infinity;
    if (this.options.onSplit === 'refuse') {
      this.isSettled[place] = asOf >= (this.doubtedAt[place] as number);
      return this.isSettled[place] ? asOf + this.options.vouchMs : -Infinity;
    }
    if (!this.isSettled[place]) this.settle(asOf, place, now);
    return this.isSettled[place] ? this.tickedAt + STALL_MS : -Infinity;
  }

  /**
   * `serve`: ends a doubt when enough witnesses have confirmed the primary since, or after a second in which none named
   * another. While Redis does not answer, the doubt begins anew.
   */
  private settle(asOf: number, place: number, now: number): void {
    const doubtedAt = this.doubtedAt[place] as number;
    if (this.options.isAway()) this.doubtedAt[place] = now;
    else this.isSettled[place] = asOf >= doubtedAt || now - doubtedAt >= PATIENCE_MS;
  }

  private leave(now: number): void {
    if (now - this.leftAt < LEAVE_MS) return;
    if (this.topology?.leave()) this.leftAt = now;
  }

  private verdict(place: number, heard: readonly Heard[]): Verdict {
    const receiver = this.topology?.receiver(place);
    const words = heard.flatMap(({ testimony, askedAt }) => {
      const word = testimony.words[place];
      return word ? [{ ...word, askedAt, isVoter: testimony.isVoter }] : [];
    });
    const needed = heard.reduce((most, { testimony }) => Math.max(most, testimony.needed), 1);
    const named = newest(words);
    const replacingSince = performance.now() - REPLACING_MS;
    const ours = words.filter(({ primary }) => primary === receiver?.primary && primary === named);
    const fine = ours.filter(({ isFine, isVoter }) => isFine && isVoter).map(({ askedAt }) => askedAt);
    const asOf = fine.sort((a, b) => b - a)[needed - 1] ?? -Infinity;
    const isReplacing = ours.some((word) => word.isReplacing && word.askedAt > replacingSince);
    const oldest = performance.now() - this.options.vouchMs;
    const voters = fine.filter((askedAt) => askedAt > oldest).length;
    return { receiver, named, voters, needed, asOf, isReplacing };
  }

  private reasonOf(place: number): string {
    const { receiver, named, voters, needed, isReplacing } = this.verdict(place, this.witnesses?.heard() ?? []);
    const who = this.topology?.witnessName ?? '';
    const failures = this.witnesses?.failures() ?? [];
    const why = failures.length > 0 ? ` (${failures.join('; ')})` : '';
    if (!receiver) {
      const server = this.topology?.serverOf(place)();
      const which = typeof server === 'string' ? server : 'this';
      return `the connection to Redis is new: whether ${which} is the primary is asked first${why}`;
    }
    if (named !== undefined && named !== receiver.primary)
      return `the ${who} name another primary than the one this process is connected to: it connects to that one`;
    if (isReplacing) return `the ${who} are about to replace the primary`;
    if (this.options.onSplit === 'serve')
      return `this process or Redis stood still, or the connection is new: the ${who} are asked first which is the primary`;
    return (
      `${Math.min(voters, needed)} of the ${needed} ${who} that are needed have confirmed the primary within ` +
      `${this.options.vouchMs} ms${why}: until they do, nothing is read from it or acknowledged (onSplit: refuse)`
    );
  }
}

/**
 * The topology that decides about the primaries of these keys; undefined for a single server, which has no witnesses.
 */
export function topologyOf(redis: RedisClient, keys: readonly string[]): Topology | undefined {
  if (redis instanceof Cluster) return new ClusterTopology(redis, keys.map(keySlot));
  const sentinels = sentinelsOf(redis);
  return sentinels && new SentinelTopology(redis, sentinels);
}

/** The primary with the highest epoch; on a tie, the one named most often. */
function newest(words: readonly { readonly primary: string; readonly epoch: number }[]): string | undefined {
  const epoch = Math.max(...words.map((word) => word.epoch));
  const counts = new Map<string, number>();
  for (const word of words) if (word.epoch === epoch) counts.set(word.primary, (counts.get(word.primary) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}
