import type { RedisConnection } from './scripts.js';
import { isProvenBy } from './entry-envelope.js';
import type { Partition } from './partition.js';

/**
 * What one `MGET` of gate and entries says of a key: the entry as it stands, proven valid by the gate; nothing; or an
 * entry that has to be asked about.
 */
export type ReadReply = { readonly kind: 'hit'; readonly envelope: Buffer } | { readonly kind: 'miss' | 'unproven' };

/** Keys in one `MGET`. It bounds the reply and the time that Redis spends on one command (64 of 10 KB are 640 KB). */
const BATCH_MAX = 64;

interface Pending {
  readonly key: string;
  readonly reply: Promise<ReadReply>;
  readonly resolve: (reply: ReadReply) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reads of one partition. All reads that are asked for before the event loop turns go out as one `MGET` of the gate and
 * their entries: one command is atomic, and a caller only ever shares a read that had not been sent when it asked, so
 * sharing cannot show it anything older than its own read would (rule 2 of protocol section 4).
 */
export class ReadBatch {
  private pending = new Map<string, Pending>();

  constructor(
    private readonly redis: RedisConnection,
    private readonly partition: Partition,
  ) {}

  read(key: string): Promise<ReadReply> {
    const shared = this.pending.get(key);
    if (shared) return shared.reply;
    if (this.pending.size === 0) process.nextTick(() => this.send());
    let resolve!: Pending['resolve'];
    let reject!: Pending['reject'];
    const reply = new Promise<ReadReply>((res, rej) => {
      resolve = res;
      reject = rej;
    });
    this.pending.set(key, { key, reply, resolve, reject });
    if (this.pending.size >= BATCH_MAX) this.send();
    return reply;
  }

  private send(): void {
    if (this.pending.size === 0) return;
    const batch = [...this.pending.values()];
    this.pending = new Map();
    const keys = [this.partition.gateKey];
    for (const { key } of batch) keys.push(this.partition.entryKey(key));
    this.redis.mgetBuffer(keys).then(
      (replies) => this.answer(batch, replies),
      (error: unknown) => {
        for (const { reject } of batch) reject(error);
      },
    );
  }

  private answer(batch: readonly Pending[], [gateBytes, ...envelopes]: (Buffer | null)[]): void {
    const gate = gateBytes && this.partition.gateOf(gateBytes);
    batch.forEach(({ resolve }, i) => {
      const envelope = envelopes[i];
      if (!gate || !envelope) resolve({ kind: 'miss' });
      else if (isProvenBy(gate, envelope)) resolve({ kind: 'hit', envelope });
      else resolve({ kind: 'unproven' });
    });
  }
}
