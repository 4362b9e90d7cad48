import { StoreUnavailableError } from '../../../cache.errors.js';
import type { ManyStoreRead, StoredValue, StoreRead } from '../../../protocol/cache-store.js';
import { isProvenBy, storedValue } from './entry-envelope.js';
import type { Moment } from '../partition/partition.js';
import type { RedisL1 } from '../l1/redis-l1.js';
import type { PartitionHistories } from '../partition/partition-histories.js';
import type { Gate, Partition } from '../partition/partition.js';
import type { RedisGuard } from '../connection/redis-guard.js';

/**
 * Maximum number of entries in one `MGET`. Small, so that this process parses one reply while Redis prepares the next:
 * measured against bare `GET`s at 1, 16 and 256 callers, 8 was best or close to it for 200 B and for 10 KB; 64 lost a
 * quarter at 10 KB.
 */
const BATCH_MAX = 8;
/** Maximum number of entries in one `MGET` for a caller that needs them all: it has nothing to do before the last. */
const MANY_MAX = 200;

interface Asked {
  readonly key: string;
  /** The L1's generation at the request. */
  readonly generation: number;
}

type Reply = StoredValue | undefined | Promise<StoredValue | undefined>;

/** A read that others may join until it is sent. */
class Pending implements Asked, StoreRead {
  readonly reply: Promise<StoredValue | undefined>;
  resolve!: (reply: Reply) => void;
  reject!: (error: unknown) => void;
  isSent = false;

  constructor(
    readonly key: string,
    readonly generation: number,
    private readonly partition: Partition,
  ) {
    this.reply = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  get isOpen(): boolean {
    return !this.isSent && this.partition.reason === undefined;
  }
}

/**
 * Reads of one partition. Reads requested in the same turn of the event loop go out together, at most eight in one
 * `MGET` of the gate and their entries. One command is atomic, and a caller shares only a read that was unsent when it
 * asked, so sharing never returns anything older than its own read would (invariant 5). A read goes out alone, and at
 * once, if none is pending or under way and the last batch had one read.
 */
export class ReadBatch {
  private pending = new Map<string, Pending>();
  /**
   * Whether a command is under way. An estimate: the first of several answers clears it, and a failed lone read leaves
   * it set. It only decides whether a read waits for others to join.
   */
  private isReading = false;
  private lastCount = 1;

  constructor(
    private readonly guard: RedisGuard,
    private readonly partition: Partition,
    /** Asks the store about an entry that the gate alone does not prove valid. */
    private readonly examine: (key: string) => Promise<StoredValue | undefined>,
    private readonly histories: PartitionHistories,
    private readonly l1: RedisL1 | undefined,
  ) {}

  /** The read of this key that is not sent yet, or a new one. */
  request(key: string): StoreRead {
    const { reason } = this.partition;
    if (reason !== undefined) return sent(Promise.reject(new StoreUnavailableError(reason)));
    const shared = this.pending.get(key);
    if (shared) return shared;
    const isFirst = this.pending.size === 0;
    const generation = this.l1?.cache.generation(key) ?? 0;
    if (isFirst && !this.isReading && this.lastCount === 1) return sent(this.readAlone({ key, generation }));
    const read = new Pending(key, generation, this.partition);
    this.pending.set(key, read);
    if (this.pending.size >= BATCH_MAX) void this.send();
    else if (isFirst) process.nextTick(() => void this.send());
    return read;
  }

  /** Reads of all these keys, with at most 200 entries in a command. Nobody joins them. */
  requestMany(keys: readonly string[]): ManyStoreRead[] {
    const requests: ManyStoreRead[] = [];
    for (let i = 0; i < keys.length; i += MANY_MAX) {
      const some = keys.slice(i, i + MANY_MAX);
      requests.push({ keys: some, reply: this.readAll(some) });
    }
    return requests;
  }

  private async readAll(keys: readonly string[]): Promise<(StoredValue | undefined)[]> {
    const { reason } = this.partition;
    if (reason !== undefined) throw new StoreUnavailableError(reason);
    const replies = await this.ask(keys.map((key) => ({ key, generation: this.l1?.cache.generation(key) ?? 0 })));
    if (replies.every(isThere)) return replies;
    // All at once: a rejection that nobody awaits yet would end the process.
    return Promise.all(replies.map((reply) => Promise.resolve(reply)));
  }

  private readAlone(asked: Asked): Promise<StoredValue | undefined> {
    // Not an async function: saves one promise in every lone hit.
    const { redis } = this.guard;
    const { gateKey, history } = this.partition;
    const entryKey = this.partition.entryKey(asked.key);
    const { moment } = history;
    this.isReading = true;
    return this.guard.ask(
      () => redis.mgetBuffer(gateKey, entryKey),
      ([gateBytes, envelope]) => {
        this.isReading = false;
        return this.trueValue(asked, moment, this.gateOf(gateBytes), envelope);
      },
      this.partition.trust,
    );
  }

  private async send(): Promise<void> {
    if (this.pending.size === 0) return;
    const batch = [...this.pending.values()];
    this.pending = new Map();
    this.lastCount = batch.length;
    for (const read of batch) read.isSent = true;
    this.isReading = true;
    try {
      const replies = await this.ask(batch);
      batch.forEach((pending, i) => pending.resolve(replies[i]));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.isReading = false;
    }
  }

  /** One command for the gate and these entries. */
  private async ask(batch: readonly Asked[]): Promise<Reply[]> {
    const keys = [this.partition.gateKey, ...batch.map(({ key }) => this.partition.entryKey(key))];
    const { moment } = this.partition.history;
    const [gateBytes, ...envelopes] = await this.guard.ask(
      () => this.guard.redis.mgetBuffer(keys),
      (reply) => reply,
      this.partition.trust,
    );
    const gate = this.gateOf(gateBytes);
    const proof = gate && this.proofOf(gate, moment);
    if (proof) await proof;
    return batch.map((asked, i) => this.valueOf(asked, gate, envelopes[i]));
  }

  private gateOf(bytes: Buffer | null | undefined): Gate | undefined {
    return bytes ? this.partition.gateOf(bytes) : undefined;
  }

  /** The value in a reply; undefined without a gate. Rejects unless `proofOf` finds the gate new enough. */
  private trueValue(asked: Asked, moment: Moment | undefined, gate: Gate | undefined, envelope?: Buffer | null): Reply {
    const proof = gate && this.proofOf(gate, moment);
    if (proof) return proof.then(() => this.valueOf(asked, gate, envelope));
    return this.valueOf(asked, gate, envelope);
  }

  /** Undefined if the gate itself shows the moment known at the request, as nearly always; else `prove` decides. */
  private proofOf(gate: Gate, asked: Moment | undefined): void | Promise<void> {
    const verdict = this.partition.history.judge(gate, asked);
    return verdict === 'yes' ? undefined : this.histories.prove(this.partition, verdict);
  }

  private valueOf({ key, generation }: Asked, gate: Gate | undefined, envelope: Buffer | null | undefined): Reply {
    if (!gate || !envelope) return undefined;
    if (!isProvenBy(gate, envelope)) return this.examine(key);
    const stored = storedValue(envelope);
    this.l1?.keep(key, generation, gate, envelope, stored);
    return stored;
  }
}

function isThere(reply: Reply): reply is StoredValue | undefined {
  return !(reply instanceof Promise);
}

/** A read that nobody else can share any more. */
function sent(reply: StoreRead['reply']): StoreRead {
  return { reply, isOpen: false };
}
