import type { Audience } from '@bff/modules/notifications/notification.types';
import type { EventStream } from './event-stream.js';

/** The user to whom a stream belongs, and until when it may last. */
export interface Subscriber {
  /** Streams are counted by account. */
  readonly account: string;
  /** The audiences whose notices the stream gets, in addition to the notices for all users. */
  readonly audiences: readonly Audience[];
  /** When the token ends, in milliseconds since the epoch. */
  readonly expiresAt: number;
  /**
   * Whether the user still acts for this account. Asked when the stream opens, at each notice that the eligibility of
   * this account or of unknown accounts changed, when notices were lost, and periodically.
   */
  readonly isStillAllowed: () => Promise<boolean>;
}

/** An open stream with its timers. */
export interface OpenStream {
  readonly stream: EventStream;
  readonly subscriber: Subscriber;
  /** Ends it with its token, or when it is old. */
  readonly end: NodeJS.Timeout;
  /** The periodic question whether its user still acts for the account. */
  readonly looks: NodeJS.Timeout;
}

/**
 * The open streams of a process, found by audience and by account. The slots of a process are shared evenly once they
 * run out: see `victimFor`.
 */
export class OpenStreams implements Iterable<OpenStream> {
  private readonly all = new Set<OpenStream>();
  private readonly byAudience = new Map<Audience, Set<OpenStream>>();
  /** The streams of each account, oldest first. */
  private readonly byAccount = new Map<string, Set<OpenStream>>();

  get size(): number {
    return this.all.size;
  }

  [Symbol.iterator](): Iterator<OpenStream> {
    return this.all.values();
  }

  countOf(account: string): number {
    return this.byAccount.get(account)?.size ?? 0;
  }

  ofAudience(audience: Audience): Iterable<OpenStream> {
    return this.byAudience.get(audience) ?? [];
  }

  add(opened: OpenStream): void {
    const { account, audiences } = opened.subscriber;
    this.all.add(opened);
    put(this.byAccount, account, opened);
    for (const audience of audiences) put(this.byAudience, audience, opened);
  }

  remove(opened: OpenStream): void {
    const { account, audiences } = opened.subscriber;
    this.all.delete(opened);
    take(this.byAccount, account, opened);
    for (const audience of audiences) take(this.byAudience, audience, opened);
  }

  /**
   * The stream that makes room for one more of this account when all slots are taken: the oldest of the account that
   * has the most. Undefined unless that account still has at least as many as this one afterwards. So an account
   * without a stream is refused only if no account has two, and a stream that was closed does not come back by closing
   * one of another account.
   */
  victimFor(account: string): OpenStream | undefined {
    let largest: ReadonlySet<OpenStream> = new Set();
    for (const streams of this.byAccount.values()) if (streams.size > largest.size) largest = streams;
    if (largest.size < this.countOf(account) + 2) return undefined;
    const [oldest] = largest;
    return oldest;
  }
}

function put<K>(streams: Map<K, Set<OpenStream>>, key: K, opened: OpenStream): void {
  streams.set(key, (streams.get(key) ?? new Set()).add(opened));
}

function take<K>(streams: Map<K, Set<OpenStream>>, key: K, opened: OpenStream): void {
  const some = streams.get(key);
  some?.delete(opened);
  if (some?.size === 0) streams.delete(key);
}
