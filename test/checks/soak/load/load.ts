import { elapse } from '../../../support/eventually.js';
import { CUSTOMERS, type Deployment } from '../deployment/deployment.js';
import { jsonOf } from '../deployment/http-client.js';
import { NotAcknowledgedError } from '../deployment/sandbox-client.js';
import { factsOf } from '../judge/facts.js';
import type { Freshness } from '../judge/freshness.js';
import type { Page } from '../judge/truth.js';
import { Changes, type ChangeKind } from './changes.js';
import { Choice } from '../../choice.js';
import type { Universe } from './universe.js';

export interface LoadOptions {
  readonly seed: number;
  readonly writers: number;
  readonly readers: number;
  /** Average pause of a writer between two changes; the pauses are evenly distributed from 0 to twice this. */
  readonly writeRestMs: number;
  readonly readRestMs: number;
}

const CATALOG = ['internet', 'sim', 'vpn', 'voice', 'hardware'];
const REGIONS = ['', '', '?region=East', '?region=West'];
const PAUSE_LOOK_MS = 5;

/**
 * Writers that change the org and readers that read pages, until `stop`. Each makes its choices by a seed of its own.
 */
export class Load {
  readonly writes = new Map<ChangeKind, number>();
  readonly answers = new Map<string, number>();
  /** Number of changes that Salesforce refused, or whose outcome is unknown. Those in `defects` are counted too. */
  unacknowledged = 0;
  /** Number of answers of 5xx, and of missing answers, while nothing was disturbed. */
  failuresInCalm = 0;
  readonly defects: string[] = [];
  readonly changes: Changes;
  private pauses = 0;
  private writing = 0;
  private isOver = false;
  private readonly running: Promise<void>[] = [];

  constructor(
    private readonly deployment: Deployment,
    private readonly universe: Universe,
    private readonly freshness: Freshness,
    private readonly options: LoadOptions,
  ) {
    this.changes = new Changes(deployment.org, universe, freshness);
    const { seed, writers, readers } = options;
    for (let i = 0; i < writers; i++) this.running.push(this.write(new Choice(seed * 131 + i)));
    for (let i = 0; i < readers; i++) this.running.push(this.read(new Choice(seed * 131 + 1_000 + i)));
  }

  get writeCount(): number {
    return [...this.writes.values()].reduce((sum, n) => sum + n, 0);
  }

  get readCount(): number {
    return [...this.answers.values()].reduce((sum, n) => sum + n, 0);
  }

  /** Runs the work while no writer writes, and resolves with its result; readers go on. */
  async withWritersPaused<T>(work: () => Promise<T>): Promise<T> {
    this.pauses += 1;
    try {
      while (this.writing > 0) await elapse(PAUSE_LOOK_MS);
      return await work();
    } finally {
      this.pauses -= 1;
    }
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.running);
  }

  private async write(choice: Choice): Promise<void> {
    while (!this.isOver) {
      await elapse(choice.whole(0, 2 * this.options.writeRestMs));
      if (this.pauses > 0 || this.isOver) continue;
      this.writing += 1;
      const kind = Changes.kind(choice);
      try {
        if (await this.changes.make(kind, choice)) this.writes.set(kind, (this.writes.get(kind) ?? 0) + 1);
      } catch (error) {
        if (!(error instanceof NotAcknowledgedError)) this.defects.push(`${kind}: ${String(error)}`);
        this.unacknowledged += 1;
      } finally {
        this.writing -= 1;
      }
    }
  }

  private async read(choice: Choice): Promise<void> {
    while (!this.isOver) {
      await elapse(choice.whole(0, 2 * this.options.readRestMs));
      const page = this.choosePage(choice);
      const bff = choice.whole(0, this.deployment.bffs.length - 1);
      const slot = this.deployment.bffs[bff];
      if (!slot || this.isOver) continue;
      const startedAt = performance.now();
      const headers = { authorization: `Bearer ${this.deployment.tokens.get(page.customer)}` };
      const answer = await slot.http.call(page.path, { headers, timeoutMs: 40_000 }).catch(() => undefined);
      this.count(answer ? String(answer.status) : 'no answer');
      if (answer?.status === 200) this.freshness.judge(`BFF ${bff}, ${page.path}`, factsOf(jsonOf(answer)), startedAt);
      else if ((answer?.status ?? 500) >= 500 && this.freshness.isCalm) this.failuresInCalm += 1;
    }
  }

  private choosePage(choice: Choice): Page {
    const customer = choice.of(CUSTOMERS) ?? 1;
    switch (choice.weighted({ order: 10, list: 3, catalog: 4, eligibility: 2, categories: 0.5 })) {
      case 'list':
        return { path: '/api/orders', customer };
      case 'catalog':
        return { path: `/api/catalog/${choice.of(CATALOG)}${choice.of(REGIONS)}`, customer };
      case 'eligibility':
        return { path: '/api/catalog/eligibility', customer };
      case 'categories':
        return { path: '/api/catalog', customer };
      case 'order': {
        const order = choice.of([...this.universe.orders.values()]);
        if (!order) return { path: '/api/orders', customer };
        return { path: `/api/orders/${order.id}`, customer: this.universe.customerOf(order.account) ?? customer };
      }
    }
  }

  private count(answer: string): void {
    this.answers.set(answer, (this.answers.get(answer) ?? 0) + 1);
  }
}
