import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { EventReader } from '../support/event-reader.js';
import { Portal } from './support/portal.js';

const SECRET = 'a-secret-of-at-least-32-characters';
const STREAMS = 50;
const CHANGES = 1_000;
const KINDS = ['eligibility.changed', 'orders.changed', 'billing.changed'] as const;
/** In each step each of the three customers has one change of each kind. */
const STEPS = Math.ceil(CHANGES / 3 / KINDS.length);
const BURST = 10;

type Kind = (typeof KINDS)[number];

interface Customer {
  readonly number: number;
  /** Makes one change of the kind. */
  readonly change: Readonly<Record<Kind, () => Promise<unknown>>>;
}

/** A browser that leaves and comes back, to the other BFF each time, and resumes from the last id that it was given. */
class RestlessBrowser {
  /** When the notices of each name that it received were published. A notice that came twice counts once. */
  readonly heard = new Map<string, Set<string>>();
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

  countOf(name: string): number {
    return this.heard.get(name)?.size ?? 0;
  }

  /** When the newest notice of this kind was published, in milliseconds since the epoch. */
  newestAt(kind: Kind): number {
    return Math.max(-Infinity, ...[...(this.heard.get(kind) ?? [])].map((at) => Date.parse(at)));
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
      const name = event === 'ready' ? `ready, resumed: ${String(data['isResumed'])}` : event;
      this.heard.set(name, (this.heard.get(name) ?? new Set()).add(String(data['at'])));
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
    portal = await Portal.onRedis({
      WHMCS_WEBHOOK_SECRET: SECRET,
      ...unhindered,
      REDIS_COMMAND_TIMEOUT_MS: '10000', // on a busy machine a slower answer would make a change fail, or a resync
    });
    await portal.fault({ fault: 'latency', ms: 0 });
    await eventually(async () => (await portal.request('/health/sf-events')).status === 200, { withinMs: 20_000 });
  });
  afterAll(async () => {
    await Promise.all(browsers.map((browser) => browser.stop()));
    await portal.stop();
  });

  it('[C1] hear of each change of their own account, and of nothing that concerns others', async () => {
    const customers = await customersOf(portal);
    for (let n = 0; n < STREAMS; n++) browsers.push(new RestlessBrowser(portal, customers[n % 3] as Customer, n));
    await eventually(() => browsers.every(({ heard }) => heard.size > 0), { withinMs: 20_000 });
    await Promise.all(customers.map((customer) => inSteps(customer, browsersOf(customer))));
    for (const { customer, heard, visits } of browsers) {
      expect([...heard.keys()].sort()).toEqual([...KINDS, 'ready, resumed: false', 'ready, resumed: true'].sort());
      // As many as the account had changes, so none is a stranger's; and the same as in its other streams.
      for (const kind of KINDS) {
        expect(heard.get(kind)?.size).toBe(STEPS);
        expect(heard.get(kind)).toEqual(browsersOf(customer)[0]?.heard.get(kind));
      }
      expect(visits).toBeGreaterThan(1);
    }
  });

  it('all hear of the newest of changes that come together', async () => {
    const burst = async (customer: Customer, kind: Kind) => {
      for (let n = 1; n < BURST; n++) await customer.change[kind]();
      const begin = Date.now();
      await customer.change[kind]();
      const newest = () => new Set(browsersOf(customer).map((browser) => browser.newestAt(kind)));
      const hasHeard = () => newest().size === 1 && Math.max(...newest()) >= begin;
      await eventually(hasHeard, { withinMs: 30_000, what: `all heard of ${kind} of customer ${customer.number}` });
    };
    const customers = [...new Set(browsers.map(({ customer }) => customer))];
    await Promise.all(customers.flatMap((customer) => KINDS.map((kind) => burst(customer, kind))));
    expect(browsers.filter(({ heard }) => heard.has('resync'))).toEqual([]);
  });

  const browsersOf = (customer: Customer) => browsers.filter((browser) => browser.customer === customer);
});

/** Makes one change of each kind after the other, each when all these browsers have heard of those before it. */
async function inSteps({ number, change }: Customer, browsers: readonly RestlessBrowser[]): Promise<void> {
  for (let step = 1; step <= STEPS; step++) {
    await Promise.all(KINDS.map((kind) => change[kind]()));
    const hasHeard = (browser: RestlessBrowser) => KINDS.every((kind) => browser.countOf(kind) >= step);
    await eventually(() => browsers.every(hasHeard), {
      withinMs: 30_000,
      what: `all streams of customer ${number} have heard of ${step} changes of each kind`,
      state: () => browsers.map((browser) => KINDS.map((kind) => browser.countOf(kind))),
    });
  }
}

async function customersOf(portal: Portal): Promise<Customer[]> {
  const soql =
    "SELECT Id, Portal_User_Id__c, WHMCS_Client_Id__c FROM Account WHERE Portal_User_Id__c IN ('customer-1', 'customer-2', 'customer-3') ORDER BY Portal_User_Id__c";
  const { records } = (await portal.salesforce('GET', `/query?q=${encodeURIComponent(soql)}`)) as {
    records: { Id: string; WHMCS_Client_Id__c: string }[];
  };
  return records.map(({ Id, WHMCS_Client_Id__c }, n) => {
    const order = { AccountId: Id, Status: 'Draft', EffectiveDate: '2026-01-01' };
    const create = (object: string, fields: object) => () => portal.salesforce('POST', `/sobjects/${object}`, fields);
    return {
      number: n + 1,
      change: {
        'eligibility.changed': create('Account_Eligibility_Update__e', { Account_Id__c: Id }),
        'orders.changed': create('Order', order),
        'billing.changed': () => invoiceChanged(portal, Number(WHMCS_Client_Id__c)),
      },
    };
  });
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
