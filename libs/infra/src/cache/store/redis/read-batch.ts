import type { StoredValue } from '../cache-store.js';
import { isProvenBy, storedValue } from './entry-envelope.js';
import type { L1 } from './l1.js';
import type { Partition } from './partition.js';
import type { RedisGuard } from './redis-guard.js';

/**
 * Keys in one `MGET`. Small, so that this process parses one reply while Redis prepares the next: measured against bare
 * `GET`s at 1, 16 and 256 callers, 8 was best or close to it for 200 B and for 10 KB; 64 lost a quarter at 10 KB.
 */
const BATCH_MAX = 8;

interface Pending {
  readonly key: string;
  /** The L1's generation when the read was asked for. */
  readonly generation: number;
  readonly reply: Promise<StoredValue | undefined>;
  readonly resolve: (reply: StoredValue | undefined | Promise<StoredValue | undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reads of one partition. Reads that are asked for before the event loop turns go out together, as `MGET` of the gate and
 * their entries: one command is atomic, and a caller only ever shares a read that had not been sent when it asked, so
 * sharing cannot show it anything older than its own read would (rule 2 of protocol section 4). Where one caller reads after
 * the other there is nothing to wait for, and a read goes out at once.
 */
export class ReadBatch {
  private pending = new Map<string, Pending>();
  private batchesInFlight = 0;
  private lastCount = 1;

  constructor(
    private readonly guard: RedisGuard,
    private readonly partition: Partition,
    /** Asks the store about an entry that the gate alone does not prove valid. */
    private readonly examine: (key: string) => Promise<StoredValue | undefined>,
    private readonly l1: L1 | undefined,
  ) {}

  read(key: string): Promise<StoredValue | undefined> {
    const shared = this.pending.get(key);
    if (shared) return shared.reply;
    const isFirst = this.pending.size === 0;
    let resolve!: Pending['resolve'];
    let reject!: Pending['reject'];
    const reply = new Promise<StoredValue | undefined>((res, rej) => {
      resolve = res;
      reject = rej;
    });
    this.pending.set(key, { key, generation: this.l1?.generation(key) ?? 0, reply, resolve, reject });
    const isAlone = this.batchesInFlight === 0 && this.lastCount === 1;
    if (isAlone || this.pending.size >= BATCH_MAX) void this.send();
    else if (isFirst) process.nextTick(() => void this.send());
    return reply;
  }

  private async send(): Promise<void> {
    if (this.pending.size === 0) return;
    const batch = [...this.pending.values()];
    this.pending = new Map();
    this.lastCount = batch.length;
    try {
      this.answer(batch, await this.ask(batch));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  private async ask(batch: readonly Pending[]): Promise<(Buffer | null)[]> {
    const keys = [this.partition.gateKey];
    for (const { key } of batch) keys.push(this.partition.entryKey(key));
    this.batchesInFlight++;
    try {
      return await this.guard.ask(() => this.guard.redis.mgetBuffer(keys));
    } finally {
      this.batchesInFlight--;
    }
  }

  private answer(batch: readonly Pending[], replies: readonly (Buffer | null)[]): void {
    const [gateBytes] = replies;
    const gate = gateBytes && this.partition.gateOf(gateBytes);
    batch.forEach(({ key, generation, resolve }, i) => {
      const envelope = replies[i + 1]; // after the gate
      if (!gate || !envelope) resolve(undefined);
      else if (isProvenBy(gate, envelope)) {
        const stored = storedValue(envelope);
        this.l1?.keep(key, generation, gate.clock, envelope, stored);
        resolve(stored);
      } else resolve(this.examine(key));
    });
  }
}
