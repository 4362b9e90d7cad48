import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { elapse } from '../../../support/eventually.js';
import type { RedisServer } from '../../../support/redis-server.js';
import type { CheckedProcess } from '../checked-process.js';
import type { RunClock } from '../history/clock.js';
import type { RunEvent } from '../history/timeline.js';
import type { Verifier } from '../history/verifier.js';
import type { ProcessPool } from '../process-pool.js';
import type { Fault, FaultKind } from './fault-schedule.js';

/** How long a builder is waited for that shall be hit in the middle of its fetch. */
const BUILDER_WAIT_MS = 1500;
const LINGER_MS = 1500;
const STORM_STEP_MS = 15;
/** How long after the return of an older Redis somebody may still find out, and drop what it holds. */
const ADOPTION_US = 2_000_000;
/** How long the source goes on changing after the snapshot that Redis comes back with. */
const OLDER_MS = 700;

/** Does to a run what its schedule says, and writes down what it did. */
export class FaultInjector {
  readonly events: RunEvent[] = [];
  readonly counts = new Map<FaultKind, number>();
  private readonly admin: Redis;
  /** Faults of the server itself come one after the other. */
  private server: Promise<unknown> = Promise.resolve();
  private readonly underWay = new Set<Promise<unknown>>();

  constructor(
    private readonly redis: RedisServer,
    private readonly pool: ProcessPool,
    private readonly clock: RunClock,
    private readonly verifier: Verifier,
  ) {
    this.admin = new Redis(redis.url, { retryStrategy: () => 50, maxRetriesPerRequest: 0 });
    this.admin.on('error', () => undefined); // its server is stopped and restarted here
  }

  /** Begins a fault; it may last. */
  inject(fault: Fault): void {
    const work: Promise<unknown> = this.carryOut(fault).finally(() => this.underWay.delete(work));
    this.underWay.add(work);
  }

  /** Resolves when every fault has ended and everything runs. Rejects if one could not be carried out: that is our defect. */
  async ended(): Promise<void> {
    while (this.underWay.size > 0) await Promise.all(this.underWay);
  }

  close(): void {
    this.admin.disconnect();
  }

  private async carryOut(fault: Fault): Promise<void> {
    const [readers, worker] = [this.runningReaders(), this.pool.all[0] as CheckedProcess];
    const reader = readers[fault.target % readers.length];
    if (!reader) return; // all of them stand still
    switch (fault.kind) {
      case 'reader-killed':
        return this.kill(fault, reader);
      case 'worker-killed':
        return this.kill(fault, worker);
      case 'reader-stopped':
        return this.stop(fault, reader);
      case 'worker-stopped':
        return worker.isStopped ? undefined : this.stop(fault, worker);
      case 'builder-killed':
        return (await this.isFetching(reader)) ? this.kill(fault, reader) : undefined;
      case 'builder-stopped':
        return (await this.isFetching(reader)) ? this.stop(fault, reader) : undefined;
      case 'acks-lost':
        return this.tell(fault, reader, 'mute');
      case 'messages-dropped':
        return this.tell(fault, reader, 'lossy');
      case 'messages-lost':
        return this.tell(fault, reader, 'deaf');
      case 'fetches-slow':
        return this.tell(fault, reader, 'slow');
      default:
        this.server = this.server.then(() => this.hitServer(fault));
        await this.server;
    }
  }

  private async hitServer(fault: Fault): Promise<void> {
    switch (fault.kind) {
      case 'bus-killed':
        this.note(fault, 'all bus connections killed');
        return this.ask('CLIENT', 'KILL', 'TYPE', 'pubsub');
      case 'connections-killed':
        this.note(fault, 'all command connections killed');
        return this.ask('CLIENT', 'KILL', 'TYPE', 'normal');
      case 'bus-storm':
        this.note(fault, `bus connections killed all the time for ${fault.ms} ms`);
        for (const until = performance.now() + fault.ms; performance.now() < until; await elapse(STORM_STEP_MS))
          await this.ask('CLIENT', 'KILL', 'TYPE', 'pubsub');
        return;
      case 'redis-asleep':
        this.note(fault, `Redis sleeps for ${fault.ms} ms`);
        return this.disturbing(() => this.ask('DEBUG', 'SLEEP', String(fault.ms / 1000)));
      case 'redis-stopped':
        this.note(fault, `Redis stopped for ${fault.ms} ms`);
        return this.disturbing(async () => {
          this.redis.pause();
          await elapse(fault.ms);
          this.redis.resume();
        });
      case 'redis-emptied':
        return this.emptying(fault, 'Redis emptied', () => this.ask('FLUSHALL'));
      case 'redis-restarted-empty':
        return this.emptying(fault, 'Redis killed and restarted empty', () => this.restart());
      case 'redis-restarted-older':
        return this.emptying(fault, `Redis killed and restarted as it was ${OLDER_MS} ms before`, async () => {
          await this.ask('SAVE');
          await elapse(OLDER_MS);
          await this.redis.restart();
          await this.forgetSnapshot();
        });
      default:
        throw new Error(`${fault.kind} is no fault of the server`);
    }
  }

  /** While this runs, entries may vanish for no reason that the history tells. */
  private async emptying(fault: Fault, text: string, work: () => Promise<void>): Promise<void> {
    const from = this.clock.now();
    this.note(fault, text);
    await this.disturbing(work);
    this.verifier.order.storeEmptied(from, this.clock.now() + ADOPTION_US);
  }

  private async restart(): Promise<void> {
    await this.forgetSnapshot();
    await this.redis.restart();
  }

  private async forgetSnapshot(): Promise<void> {
    await this.connected();
    const [, folder] = (await this.admin.config('GET', 'dir')) as [string, string];
    await rm(join(folder, 'dump.rdb'), { force: true });
  }

  private async kill(fault: Fault, process: CheckedProcess): Promise<void> {
    this.note(fault, `process ${process.by} (${process.role}) killed`);
    await this.pool.replace(process);
  }

  private async stop(fault: Fault, process: CheckedProcess): Promise<void> {
    if (process.isStopped) return;
    this.note(fault, `process ${process.by} (${process.role}) stopped for ${fault.ms} ms`);
    await this.disturbing(async () => {
      process.stop();
      await elapse(fault.ms);
      process.resume();
    }, process.by);
  }

  /** Nothing can be acknowledged meanwhile: by anybody, or by this process. */
  private async disturbing(work: () => Promise<void>, by?: number): Promise<void> {
    const from = this.clock.now();
    await work();
    this.verifier.times.disturbed(from, this.clock.now(), by);
  }

  private async tell(fault: Fault, process: CheckedProcess, kind: 'mute' | 'lossy' | 'deaf' | 'slow'): Promise<void> {
    this.note(fault, `process ${process.by}: ${fault.kind} for ${fault.ms} ms`);
    process.order({ kind, ms: fault.ms });
    await elapse(fault.ms);
  }

  /** Whether the process is now in the middle of a fetch, with what it has read of the source in its hands. */
  private async isFetching(process: CheckedProcess): Promise<boolean> {
    const fetching = process.hears('fetching').then(() => true);
    process.order({ kind: 'linger', ms: LINGER_MS });
    return Promise.race([fetching, elapse(BUILDER_WAIT_MS).then(() => false)]);
  }

  private runningReaders(): CheckedProcess[] {
    return this.pool.all.slice(1).filter((process) => !process.isStopped);
  }

  /** Asks until the server has answered; it may be away just now. */
  private async ask(command: string, ...args: string[]): Promise<void> {
    await this.connected();
    await this.admin.call(command, ...args).catch((error: Error) => {
      if (error.name === 'ReplyError') throw error; // it refuses: then this fault is none
    });
  }

  private async connected(): Promise<void> {
    while (this.admin.status !== 'ready') await elapse(10);
  }

  private note({ kind }: Fault, text: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.events.push({ at: this.clock.now(), text });
  }
}
