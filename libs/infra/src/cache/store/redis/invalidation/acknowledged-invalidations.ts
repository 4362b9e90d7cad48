import { randomBytes } from 'node:crypto';
import type { PrimaryVouch } from '../../../../redis/primary-vouch.js';
import { StoreUnavailableError } from '../../../cache.errors.js';
import type { Invalidation } from '../../../cache.types.js';
import { entryKey, type Dependency } from '../../../dependencies.js';
import { InvalidationJournal } from './invalidation-journal.js';
import { RedisL1, type L1Options } from '../l1/redis-l1.js';
import { L1Acknowledgements } from '../l1/l1-acknowledgements.js';
import { LEASE_TIMES, type LeaseCalls } from '../l1/l1-leases.js';
import { nonce } from '../partition/partition.js';
import type { Gate, Partition, Partitions } from '../partition/partition.js';
import type { PartitionScripts } from '../partition/partition-scripts.js';
import type { RedisGuard } from '../connection/redis-guard.js';
import { publish, type BusListeners } from '../bus/redis-bus.js';

export interface InvalidationOptions {
  readonly appName: string;
  readonly windowMax: number;
  readonly inlineMax: number;
  readonly l1: L1Options | undefined;
}

/** Arguments of every script that invalidates, besides its own. */
export interface InvalidationCall {
  readonly tip: string;
  readonly requester: string;
  readonly membershipVersion: string;
}

/** Answer of such a script: the gate, then the fields of `audience` in `_partition.lua`. */
interface InvalidationReply<T> {
  readonly gate: unknown;
  readonly audience: readonly unknown[];
  readonly result: T;
}

/**
 * Maximum dependencies in one script, which bounds its time. A larger invalidation is sent in several scripts, all
 * awaited. A batch of 500 records fits, with the dependencies to which values of their tables may be folded.
 */
const DEPENDENCIES_PER_CALL = 520;
const KEYS_REPORTED_MAX = 1000;
/** The requester of an invalidation that waits for no L1. */
const NOBODY = '';
/** Number of fields of `audience` in `_partition.lua`: membership version, members, maturity. */
const AUDIENCE_FIELDS = 3;

/**
 * Invalidations of this process, acknowledged: carried out in every partition concerned, and followed by the L1s for
 * which `L1Acknowledgements` waits. The L1 of this process belongs here as the other side of the same agreement: it
 * follows, and in `strict` mode acknowledges to other processes.
 */
export class AcknowledgedInvalidations {
  /** The L1 of this process; undefined if it has none. */
  readonly l1: RedisL1 | undefined;
  /** Receivers of the messages of the bus. */
  readonly listeners: BusListeners;
  /**
   * By the partition's index: the invalidations that the store has not acknowledged there, until it carries them out.
   */
  private readonly journals: readonly InvalidationJournal[];
  private readonly processId = randomBytes(16).toString('hex');
  private readonly acknowledgements: L1Acknowledgements;

  constructor(
    private readonly guard: RedisGuard,
    private readonly scripts: PartitionScripts,
    private readonly partitions: Partitions,
    private readonly options: InvalidationOptions,
    private readonly vouch: PrimaryVouch,
  ) {
    this.l1 = options.l1 && new RedisL1(options.l1, partitions, this.leaseCalls(options.l1));
    this.acknowledgements = new L1Acknowledgements(
      this.processId,
      LEASE_TIMES,
      // Also without an L1: a process may read from a deposed primary until its vouch ends (docs/decisions/0009).
      options.l1?.mode === 'strict' || vouch.isNeeded,
      (partition, at, members, evict) => this.pending(partition, at, members, evict),
    );
    this.journals = partitions.all.map((partition) => this.journalOf(partition));
    guard.onUsable(() => this.journals.forEach((journal) => journal.hasten()));
    this.listeners = {
      onInvalidation: (partition, invalidation) => this.l1?.follow(partition, invalidation, this.processId),
      onAcknowledgement: (member, tips) => this.acknowledgements.receive(member, tips),
    };
  }

  /** The channel on which L1s acknowledge this process' invalidations. */
  get channel(): string {
    return this.channelOf(this.processId);
  }

  /** Lower bound on the dependencies whose invalidation is owed to some partition. */
  get owedInvalidations(): number {
    return Math.max(...this.journals.map((journal) => journal.size));
  }

  close(): void {
    for (const journal of this.journals) journal.close();
  }

  /** The births of gates that a sweep reports and learns; see `L1Acknowledgements`. */
  get births(): Pick<L1Acknowledgements, 'matureBirth' | 'learnBirth'> {
    return this.acknowledgements;
  }

  /** Resolves when every script that it needs has `settled`, in every partition concerned. */
  async invalidate(dependencies: readonly Dependency[]): Promise<Invalidation> {
    const calls = this.partitions.all.flatMap((partition) => {
      const own = dependencies.filter((d) => this.concerns(d, partition));
      return chunks(own, DEPENDENCIES_PER_CALL).map((chunk) => this.invalidateIn(partition, chunk));
    });
    const outcomes = await Promise.allSettled(calls); // all settle first: after a rejection no call is under way
    let dropped = 0;
    let deferred = 0;
    const keys: string[] = [];
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') throw outcome.reason;
      dropped += outcome.value.dropped;
      deferred += outcome.value.deferred;
      keys.push(...outcome.value.keys.slice(0, KEYS_REPORTED_MAX - keys.length));
    }
    return { dropped, keys, deferred };
  }

  /** Waits for L1s as an invalidation does, but invalidates nothing. */
  async settle(partition: Partition): Promise<void> {
    await this.invalidateIn(partition, []);
  }

  /**
   * Sends a script that invalidates, and waits for L1s (`L1Acknowledgements`) and until the primary is confirmed. This
   * process' own L1 drops the dependants before the script is sent, and again with the position at which the store
   * carried it out. With `joined` the script is sent once more if a redirection led it to another server; `joined`
   * makes one result of both.
   */
  async settled<T>(
    partition: Partition,
    dependencies: readonly Dependency[],
    send: (call: InvalidationCall) => Promise<InvalidationReply<T>>,
    joined?: (first: T, again: T) => T,
  ): Promise<T> {
    const tip = nonce();
    const server = partition.trust.at; // the server to which the client sends now
    this.l1?.cache.invalidateOwn(partition.index, dependencies);
    this.acknowledgements.expect(tip);
    try {
      const known = this.acknowledgements.membership(partition);
      const { processId: requester } = this;
      const { gate, audience, result } = await send({ tip, requester, membershipVersion: known.version });
      const { clock, born } = partition.gateOf(gate as Buffer) as Gate;
      this.l1?.cache.invalidateOwn(partition.index, dependencies, { clock, tip });
      // A redirection: perhaps another server has carried it out. What is sent now goes there at once.
      if (joined && partition.trust.at !== server)
        return joined(result, await this.settled(partition, dependencies, send));
      const [version, members, isMature] = audience.map(String) as [string, string, string];
      const membership = members === '=' ? known : { version, members: members.split(' ').filter(Boolean) };
      await Promise.all([
        this.acknowledgements.settled(partition, { clock, tip, born, membership, isMature: isMature === '1' }),
        this.confirm(partition, server),
      ]);
      return result;
    } catch (error) {
      // After any error, also a defect of ours, the old value may remain.
      if (dependencies.length > 0) this.journals[partition.index]?.add(dependencies);
      throw error;
    } finally {
      this.acknowledgements.forget(tip);
    }
  }

  private invalidateIn(partition: Partition, dependencies: readonly Dependency[]): Promise<Invalidation> {
    const send = async ({ tip, requester, membershipVersion }: InvalidationCall) => {
      const { inlineMax, windowMax } = this.options;
      const head = [tip, inlineMax, windowMax, requester, membershipVersion];
      const [, gate, dropped, deferred, ...rest] = await this.scripts.run('invalidate', partition, [
        ...head,
        ...dependencies,
      ]);
      const keys = rest.slice(AUDIENCE_FIELDS).map(String);
      return { gate, audience: rest, result: { dropped: Number(dropped), deferred: Number(deferred), keys } };
    };
    // The result that dropped more counts: a second script at the same server finds nothing left to drop.
    return this.settled(partition, dependencies, send, (first, again) =>
      again.dropped > first.dropped ? again : first,
    );
  }

  /**
   * Carries out owed invalidations. It waits for the store, not for L1s of other processes: nothing was promised, and
   * they follow the bus. The L1 of this process is suspended meanwhile.
   */
  private async repeat(partition: Partition, owed: readonly Dependency[] | '*'): Promise<void> {
    const { inlineMax, windowMax } = this.options;
    const server = partition.trust.at; // the server to which the client sends now
    if (owed === '*') await this.scripts.run('flush', partition, [nonce()]);
    else await this.scripts.run('invalidate', partition, [nonce(), inlineMax, windowMax, NOBODY, '', ...owed]);
    await this.confirm(partition, server);
  }

  private journalOf(partition: Partition): InvalidationJournal {
    const journal: InvalidationJournal = new InvalidationJournal({
      carryOut: (dependencies) => this.repeat(partition, dependencies),
      onOwing: () => {
        partition.owing = journal;
        this.l1?.cache.suspend(partition.index);
        this.guard.tellOutage();
      },
      onSettled: () => {
        partition.owing = undefined;
        this.l1?.cache.resume(partition.index);
      },
    });
    return journal;
  }

  /**
   * Rejects unless `server` is confirmed as the primary: the successor of a deposed primary does not know what that one
   * did.
   */
  private async confirm({ index }: Partition, server: unknown): Promise<void> {
    const reason = await this.vouch.confirmed(index, server);
    if (reason) throw new StoreUnavailableError(reason);
  }

  private leaseCalls({ mode }: L1Options): LeaseCalls {
    const isMember = mode === 'strict' ? '1' : '0';
    return {
      beat: async (partition, { clock, tip }) => {
        const args = [this.processId, clock, tip, isMember, nonce()];
        const { trust } = partition;
        const server = trust.at;
        const [code, gate, serverMs] = await this.scripts.run('beat', partition, args);
        if (!trust.holdsFor(server)) throw new StoreUnavailableError(trust.reason);
        return [code, String(gate), Number(String(serverMs)), this.vouch.leaseEndOf(partition.index)];
      },
      leave: async (partition) => {
        await this.scripts.runNumber('leave', partition, [this.processId, nonce()]);
      },
      acknowledge: async (requester, tips) => {
        const text = [this.processId, ...tips].join(' ');
        await this.guard.run(() => publish(this.guard.redis, this.channelOf(requester), text));
      },
    };
  }

  private async pending(
    partition: Partition,
    at: { readonly clock: number; readonly born: number },
    members: readonly string[],
    evict: boolean,
  ): Promise<{ born: number; members: string[] }> {
    const args = [at.clock, evict ? '1' : '0', nonce(), at.born, ...members];
    const [, born, ...still] = await this.scripts.run('pend', partition, args);
    return { born: Number(String(born)), members: still.map(String) };
  }

  private concerns(d: Dependency, partition: Partition): boolean {
    const key = entryKey(d);
    return key === undefined || this.partitions.of(key) === partition;
  }

  private channelOf(processId: string): string {
    return `{${this.options.appName}}:ak:${processId}`;
  }
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const result: T[][] = [];
  for (let i = 0; i < items.length; i += size) result.push(items.slice(i, i + size));
  return result;
}
