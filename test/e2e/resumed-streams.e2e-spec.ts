import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { EventReader } from '../support/event-reader.js';
import { Portal } from './support/portal.js';

const SECRET = 'a-secret-of-at-least-32-characters';
const STREAMS = 50;
const CHANGES = 1_000;
const ROUNDS = 20;

/** A customer whose account has changes of one kind only, so that a notice of another kind is a stranger's. */
interface Customer {
  readonly number: number;
  readonly kind: string;
  readonly change: () => Promise<unknown>;
}

/** A browser that leaves and comes back, to the other BFF each time, and resumes from the last id that it was given. */
class RestlessBrowser {
  /** The names of the events that it received, in order. */
  readonly names: string[] = [];
  newestAt = 0;
  visits = 0;
  private lastEventId: string | undefined;
  private isLeaving = false;
  private readonly life: Promise<void>;

  constructor(
    private readonly portal: Portal,
    readonly customer: Customer,
    private bff: number,
  ) {
    this.life = this.live();
  }

  async stop(): Promise<void> {
    this.isLeaving = true;
    await this.life;
  }

  private async live(): Promise<void> {
    while (!this.isLeaving) await this.visit();
  }

  private async visit(): Promise<void> {
    this.bff = (this.bff + 1) % this.portal.bffUrls.length;
    const authorization = `Bearer ${await this.portal.token(this.customer.number)}`;
    const reader = await EventReader.open(`${this.portal.bffUrls[this.bff]}/api/events`, {
      authorization,
      ...(this.lastEventId !== undefined && { 'last-event-id': this.lastEventId }),
    });
    if (reader.response.statusCode !== 200) {
      reader.close();
      const seconds = Number(reader.response.headers['retry-after']);
      if (!(seconds > 0)) throw new Error(`the stream answered ${reader.response.statusCode}`);
      await delay(seconds * 1_000);
      return;
    }
    const leavesAt = performance.now() + 500 + Math.random() * 2_000;
    while (performance.now() < leavesAt && !this.isLeaving) {
      await delay(20);
      this.take(reader);
    }
    reader.close();
    this.take(reader);
    this.visits += 1;
  }

  private take(reader: EventReader): void {
    for (const { event, data } of reader.events.splice(0)) {
      this.names.push(event === 'ready' ? `ready, resumed: ${String(data['isResumed'])}` : event);
      if (event === this.customer.kind) this.newestAt = Math.max(this.newestAt, Date.parse(data['at'] as string));
    }
    this.lastEventId = reader.lastEventId ?? this.lastEventId;
  }
}

describe('streams that resume', () => {
  let portal: Portal;
  const browsers: RestlessBrowser[] = [];
  beforeAll(async () => {
    // Three users open as many streams as a hundred would: the limits of one user are not what is tested.
    const unhindered = { LIMIT_STREAMS: '100000/60', LIMIT_REQUESTS: '100000/60' };
    portal = await Portal.onRedis({ WHMCS_WEBHOOK_SECRET: SECRET, ...unhindered });
    await portal.fault({ fault: 'latency', ms: 0 });
    await eventually(async () => (await portal.request('/health/sf-events')).status === 200, { withinMs: 20_000 });
  });
  afterAll(async () => {
    await Promise.all(browsers.map((browser) => browser.stop()));
    await portal.stop();
  });

  it('[C1] hear of every change of their own account, and of nothing that concerns others', async () => {
    const customers = await customersOf(portal);
    for (let n = 0; n < STREAMS; n++) browsers.push(new RestlessBrowser(portal, customers[n % 3] as Customer, n));
    await eventually(() => browsers.every(({ names }) => names.length > 0), { withinMs: 20_000 });
    for (let round = 0; round < ROUNDS; round++) {
      const perCustomer = (of: number) => Math.floor(CHANGES / ROUNDS / 3) + (round % 3 === of ? 2 : 0);
      const begin = Date.now();
      await Promise.all(customers.map((customer, of) => inTurn(perCustomer(of), customer.change)));
      // All hear of the newest change of their account, wherever they were when it happened: all name the same instant.
      const hasHeard = ({ customer, newestAt }: RestlessBrowser) =>
        newestAt >= begin && browsers.every((other) => other.customer !== customer || other.newestAt === newestAt);
      await eventually(() => browsers.every(hasHeard), { withinMs: 30_000, what: `all heard of round ${round}` });
    }
    await Promise.all(browsers.map((browser) => browser.stop()));
    for (const { customer, names, visits } of browsers) {
      const kinds = new Set(names);
      expect([...kinds].sort()).toEqual([customer.kind, 'ready, resumed: false', 'ready, resumed: true'].sort());
      expect(names.filter((name) => name === customer.kind).length).toBeGreaterThanOrEqual(ROUNDS);
      expect(visits).toBeGreaterThan(1);
    }
  });
});

/** Three customers: one whose eligibility changes, one who gets new orders, one whose invoices change. */
async function customersOf(portal: Portal): Promise<Customer[]> {
  const soql =
    "SELECT Id, Portal_User_Id__c, WHMCS_Client_Id__c FROM Account WHERE Portal_User_Id__c IN ('customer-1', 'customer-2', 'customer-3') ORDER BY Portal_User_Id__c";
  const { records } = (await portal.salesforce('GET', `/query?q=${encodeURIComponent(soql)}`)) as {
    records: { Id: string; WHMCS_Client_Id__c: string }[];
  };
  const [first, second, third] = records as [(typeof records)[0], (typeof records)[0], (typeof records)[0]];
  const order = { AccountId: second.Id, Status: 'Draft', EffectiveDate: '2026-01-01' };
  const create = (object: string, fields: object) => () => portal.salesforce('POST', `/sobjects/${object}`, fields);
  return [
    {
      number: 1,
      kind: 'eligibility.changed',
      change: create('Account_Eligibility_Update__e', { Account_Id__c: first.Id }),
    },
    { number: 2, kind: 'orders.changed', change: create('Order', order) },
    { number: 3, kind: 'billing.changed', change: () => invoiceChanged(portal, Number(third.WHMCS_Client_Id__c)) },
  ];
}

async function invoiceChanged(portal: Portal, clientId: number): Promise<void> {
  const body = JSON.stringify({ id: randomUUID(), event: 'invoice.changed', clientId, invoiceId: 1 });
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const signature = createHmac('sha256', SECRET).update(`${timestamp}.${body}`).digest('hex');
  const headers = {
    'content-type': 'application/json',
    'x-evergreen-timestamp': timestamp,
    'x-evergreen-signature': `v1=${signature}`,
  };
  const answer = await portal.request('/webhooks/whmcs', { method: 'POST', headers, body });
  if (answer.status !== 204) throw new Error(`the webhook answered ${answer.status}: ${JSON.stringify(answer.body)}`);
}

async function inTurn(count: number, act: () => Promise<unknown>): Promise<void> {
  for (let n = 0; n < count; n++) await act();
}
