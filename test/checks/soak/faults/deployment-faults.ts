import { elapse } from '../../../support/eventually.js';
import { FaultInjector } from '../../faults/fault-injector.js';
import type { Deployment, Slot } from '../deployment/deployment.js';
import type { Load } from '../load/load.js';
import type { Universe } from '../load/universe.js';
import type { Fault, FaultKind } from './fault-schedule.js';
import { restartRedis, stopRedis } from './redis-faults.js';

const HOURS_73_MS = 73 * 3_600_000;
/** Maximum number of REST calls that one fault refuses; these are calls of BFFs and workers, or the writers' own. */
const REFUSED_MAX = 30;
const BURSTS = ['Order', 'OrderItem', 'Product2'] as const;
const LOST_WITH_OVERFLOW = 20;
const SLOW_MS = 400;
const NOTES_MAX = 2_000;

type Order = { readonly fault: string } & Readonly<Record<string, unknown>>;

/** Carries out the faults of a soak on a deployment, and records them. */
export class DeploymentFaults {
  readonly counts = new Map<FaultKind, number>();
  readonly notes: string[] = [];
  readonly injector = new FaultInjector<Fault>((fault) => this.carryOut(fault));
  private readonly beganAt = performance.now();

  constructor(
    private readonly deployment: Deployment,
    private readonly load: Load,
    private readonly universe: Universe,
  ) {}

  note(text: string): void {
    if (this.notes.length < NOTES_MAX)
      this.notes.push(`${((performance.now() - this.beganAt) / 1000).toFixed(1)} s: ${text}`);
  }

  private async carryOut(fault: Fault): Promise<void> {
    const { kind } = fault;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.note(`${kind} (${fault.ms} ms)`);
    if (kind.startsWith('redis-')) return this.injector.inLane('redis', () => this.hitRedis(fault));
    if (kind.startsWith('worker-')) return this.hitWorker(fault);
    if (kind === 'bff-killed') return this.hitBff(fault);
    return kind.startsWith('rest-') || kind === 'burst' ? this.hitOrg(fault) : this.hitStream(fault);
  }

  private async hitStream({ kind, ms, target }: Fault): Promise<void> {
    const { org, transport } = this.deployment;
    switch (kind) {
      case 'stream-cut':
        return org.fault({ fault: 'drop-connections', transport, next: target % 3 });
      case 'stream-ended':
        if (transport === 'cometd') return org.fault({ fault: 'kill-sessions' });
        return org.fault({ fault: 'end-streams', ...(target % 2 === 0 && { error: 'unavailable' }) });
      case 'stream-silent':
        return this.lasting({ fault: 'silence', transport, isOn: true }, ms, {
          fault: 'silence',
          transport,
          isOn: false,
        });
      case 'stream-refused':
        await org.fault({ fault: 'refuse', target: transport, count: 1 + (target % 6) });
        return org.fault(
          transport === 'pubsub' ? { fault: 'end-streams', error: 'auth-error' } : { fault: 'kill-sessions' },
        );
      case 'events-over-limit':
        return this.lasting({ fault: 'event-limit', isExceeded: true }, ms, {
          fault: 'event-limit',
          isExceeded: false,
        });
      case 'token-expired':
        await org.fault({ fault: 'revoke-tokens' });
        return org.fault({ fault: 'drop-connections', transport, next: 0 });
      case 'replay-expired':
        await org.fault({ fault: 'advance-clock', ms: HOURS_73_MS });
        return org.fault({ fault: 'drop-connections', transport, next: 0 });
      case 'log-reset':
        return org.fault({ fault: 'reset-stream' });
      case 'events-delayed':
        return this.lasting({ fault: 'delay-events', ms: Math.min(ms, 2_000) }, ms, { fault: 'delay-events', ms: 0 });
      case 'events-repeated':
        return org.fault({ fault: 'repeat-events', count: 50 });
      case 'events-unreadable':
        return org.fault({ fault: 'corrupt-events', count: 3 });
      default:
        return this.injector.inLane('losses', () => this.announceBadly(kind, target));
    }
  }

  /** Makes changes whose events are lost, and sends the event that Salesforce sends when it cannot report them. */
  private async announceBadly(kind: FaultKind, target: number): Promise<void> {
    const { org } = this.deployment;
    await this.load.withWritersPaused(async () => {
      const items = this.universe.openOrders.flatMap((order) => [...order.items]);
      const hit = Array.from(
        { length: kind === 'gap' ? 1 : LOST_WITH_OVERFLOW },
        (_, i) => items[(target + i) % items.length],
      );
      const ids = [...new Set(hit)].filter((id) => id !== undefined);
      await org.fault({ fault: 'drop-events', count: ids.length, entityName: 'OrderItem' });
      for (const id of ids) await this.load.changes.changeItem(id).catch(() => undefined);
      // If a change was refused, an event is still to be lost: this prevents the loss of a later one in its place.
      await org.fault({ fault: 'drop-events', count: 0 });
      const header = { fault: 'gap', entityName: 'OrderItem' };
      if (kind === 'gap') return org.fault({ ...header, changeType: 'GAP_UPDATE', recordIds: ids });
      if (kind === 'wildcard') return org.fault({ ...header, changeType: 'UPDATE', recordIds: ['802*'] });
      return org.fault({ ...header, changeType: 'GAP_OVERFLOW' });
    });
  }

  private async hitOrg({ kind, ms, target }: Fault): Promise<void> {
    const { org } = this.deployment;
    const count = 1 + (target % REFUSED_MAX);
    switch (kind) {
      case 'rest-unavailable':
        return org.fault({
          fault: 'refuse',
          target: 'rest',
          error: target % 2 === 0 ? 'unavailable' : 'connection-dropped',
          count,
        });
      case 'rest-over-limit':
        return org.fault({ fault: 'refuse', target: 'rest', error: 'request-limit', count });
      case 'rest-slow':
        return this.lasting({ fault: 'latency', target: 'rest', ms: SLOW_MS }, ms, {
          fault: 'latency',
          target: 'rest',
          ms: this.deployment.latencyMs,
        });
      default: {
        const recordsPerTransaction = [1, 20, 200][target % 3];
        const entityName = BURSTS[Math.floor(target / 3) % BURSTS.length];
        return org.fault({ fault: 'burst', entityName, count: 1_000 + 4 * target, recordsPerTransaction });
      }
    }
  }

  private async hitWorker({ kind, ms, target }: Fault): Promise<void> {
    const { deployment } = this;
    // Mostly the active worker: the death of a stand-by has little effect.
    const active = target % 4 === 0 ? undefined : await deployment.activeWorker();
    const worker = active ?? deployment.workers[target % deployment.workers.length];
    if (!worker) return;
    return this.injector.inLane(worker, async () => {
      if (kind === 'worker-killed') return deployment.replace(worker);
      if (kind === 'worker-terminated') return deployment.replace(worker, 'SIGTERM');
      worker.process.stop();
      await elapse(ms);
      worker.process.resume();
    });
  }

  private hitBff({ target }: Fault): Promise<void> {
    const bff = this.deployment.bffs[target % this.deployment.bffs.length] as Slot;
    return this.injector.inLane(bff, () => this.deployment.replace(bff));
  }

  private hitRedis({ kind, ms }: Fault): Promise<void> {
    const { redis } = this.deployment;
    if (kind === 'redis-stopped') return stopRedis(redis, ms);
    const as = kind === 'redis-restarted-empty' ? 'empty' : kind === 'redis-restarted-older' ? 'older' : 'saved';
    return restartRedis(redis, as);
  }

  private async lasting(begin: Order, ms: number, end: Order): Promise<void> {
    await this.deployment.org.fault(begin);
    await elapse(ms);
    await this.deployment.org.fault(end);
  }
}
