import type { Redis, RedisOptions } from 'ioredis';
import type { HostAndPort } from '../connecting/redis-address.js';
import { BoundedRedis } from '../connecting/bounded-redis.js';
import { retryDelayMs } from '../lasting-redis.js';
import type { Testimony, Topology } from './topology.js';

/** A Sentinel or master that is asked, over a connection of its own. */
interface Witness {
  readonly address: HostAndPort;
  readonly redis: Redis;
  isAsking: boolean;
  /** Whether a caller wants another question after the one that is under way. */
  isWanted: boolean;
  listedAt: number;
  /** When the last question that was answered or given up was asked. */
  doneAt: number;
  newest: Heard | undefined;
  failure: string | undefined;
}

/** A testimony counts from when it was asked for: it may have been delayed anywhere. */
export interface Heard {
  readonly testimony: Testimony;
  readonly askedAt: number;
}

/** How long a witness's last answer, and a witness that is no longer listed, are remembered. */
const FORGET_MS = 60_000;
/** Maximum number of addresses that are asked. */
const WITNESSES_MAX = 64;
/** How long a witness may take to answer one command. */
const ANSWER_MS = 1_000;
const SILENCE_MS = 2_000;
/** Minimum time between the beginning of a question and the next one that callers have wanted meanwhile. */
const GAP_MS = 2;

/** Asks each witness one question at a time. */
export class Witnesses {
  private readonly all = new Map<string, Witness>();
  private isClosed = false;

  constructor(
    private readonly topology: Topology,
    /** Called when a witness has answered, or failed to. */
    private readonly onWord: () => void,
  ) {}

  /** Asks every witness anew: one that is answering a question afterwards, one that is not connected once it is. */
  askAll(): void {
    this.list();
    for (const witness of this.all.values()) void this.ask(witness);
  }

  /** The newest testimony of each witness, unless it was asked for longer than `FORGET_MS` ago. */
  heard(): Heard[] {
    const oldest = performance.now() - FORGET_MS;
    const byWitness = new Map<string, Heard>();
    for (const { newest } of this.all.values()) {
      if (!newest || newest.askedAt < oldest) continue;
      const known = byWitness.get(newest.testimony.witness); // a witness known by two addresses counts once
      if (!known || known.askedAt < newest.askedAt) byWitness.set(newest.testimony.witness, newest);
    }
    return [...byWitness.values()];
  }

  /** Whether every connected witness was asked after `at`, and has answered or been given up. */
  haveAnsweredSince(at: number): boolean {
    return [...this.all.values()].every(({ redis, doneAt }) => redis.status !== 'ready' || doneAt >= at);
  }

  /** Why some witnesses do not answer. */
  failures(): string[] {
    return [...this.all].flatMap(([key, { failure }]) => (failure ? [`${key}: ${failure}`] : []));
  }

  close(): void {
    this.isClosed = true;
    for (const { redis } of this.all.values()) redis.disconnect();
    this.all.clear();
  }

  private list(): void {
    const now = performance.now();
    for (const address of this.topology.witnesses()) {
      const known = this.all.get(keyOf(address));
      if (known) known.listedAt = now;
      else if (this.all.size < WITNESSES_MAX) this.add(address, now);
    }
    for (const [key, { redis, listedAt }] of this.all) {
      if (now - listedAt < FORGET_MS) continue;
      redis.disconnect();
      this.all.delete(key);
    }
  }

  private add(address: HostAndPort, listedAt: number): void {
    const redis = this.topology.connect(address);
    const failure = 'not connected yet';
    const witness: Witness = {
      address,
      redis,
      isAsking: false,
      isWanted: false,
      doneAt: -Infinity,
      listedAt,
      newest: undefined,
      failure,
    };
    this.all.set(keyOf(address), witness);
    redis.on('error', (error: Error) => (witness.failure = error.message));
    redis.on('ready', () => void this.ask(witness));
  }

  private async ask(witness: Witness): Promise<void> {
    if (witness.redis.status !== 'ready') return; // asked once ready
    if (witness.isAsking) {
      witness.isWanted = true;
      return;
    }
    witness.isAsking = true;
    do {
      witness.isWanted = false;
      const askedAt = performance.now();
      try {
        const testimony = await this.topology.ask(witness.redis, witness.address);
        witness.newest = { testimony, askedAt };
        witness.failure = undefined;
      } catch (error) {
        witness.failure = (error as Error).message;
      }
      witness.doneAt = askedAt;
      if (this.isClosed) return;
      this.onWord();
      if (witness.isWanted) await gap(askedAt + GAP_MS - performance.now());
    } while (witness.isWanted && witness.redis.status === 'ready');
    witness.isAsking = false;
  }
}

function gap(ms: number): Promise<void> | undefined {
  return ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : undefined;
}

/**
 * A connection to a witness; connects at once. After a stall of this process, arrived replies are read before they
 * count as late.
 */
export function witnessConnection(options: RedisOptions): Redis {
  const redis = new BoundedRedis(
    undefined,
    {
      ...options,
      lazyConnect: true,
      enableReadyCheck: false,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      retryStrategy: retryDelayMs,
    },
    { commandTimeoutMs: ANSWER_MS, silenceMs: SILENCE_MS },
  );
  redis.connect().catch(() => undefined); // failures arrive as events
  return redis;
}

export function keyOf({ host, port }: HostAndPort): string {
  return `${host}:${port}`;
}
