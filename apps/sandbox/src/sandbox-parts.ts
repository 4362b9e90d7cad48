import { isIP } from 'node:net';
import { Feed } from './admin/feed.js';
import { Latency } from './admin/latency.js';
import { Refusals } from './admin/refusals.js';
import { Cometd } from './cometd/cometd.js';
import { ChangeEvents } from './events/change-events.js';
import { Channels } from './events/channels.js';
import { EventAllocation } from './events/event-allocation.js';
import { EventDelivery } from './events/event-delivery.js';
import { EventLog } from './events/event-log.js';
import { EventSchemas } from './events/event-schemas.js';
import { TokenIssuer } from './issuer/token-issuer.js';
import { Sessions } from './oauth/sessions.js';
import type { Org } from './org/org.js';
import { Permissions } from './org/permissions.js';
import { PubSub } from './pubsub/pubsub.js';
import { PubSubListener } from './pubsub/pubsub-listener.js';
import { selfSignedCertificate } from './pubsub/self-signed-certificate.js';
import { RestApi } from './rest/rest-api.js';
import type { SandboxOptions } from './sandbox.options.js';
import { REAL_TIMING, type Timing } from './timing.js';

/** The parts of a running sandbox. Both streams read one log; a fault may act on any part. */
export interface SandboxParts {
  readonly org: Org;
  readonly permissions: Permissions;
  readonly log: EventLog;
  readonly schemas: EventSchemas;
  readonly channels: Channels;
  readonly delivery: EventDelivery;
  readonly changes: ChangeEvents;
  readonly allocation: EventAllocation;
  readonly sessions: Sessions;
  readonly timing: Timing;
  readonly initialTiming: Readonly<Timing>;
  readonly latency: Latency;
  readonly refusals: Refusals;
  readonly cometd: Cometd;
  readonly pubSub: PubSub;
  readonly listener: PubSubListener;
  /** The certificate of the gRPC port, as PEM. */
  readonly certificate: string;
  readonly usage: { used: number; readonly max: number };
  readonly api: RestApi;
  readonly whmcsCalls: Record<string, number>;
  readonly issuer: TokenIssuer;
  readonly feed: Feed;
}

/** Builds the parts around an org that already has its records; only later changes are announced. */
export async function composeParts(org: Org, options: SandboxOptions): Promise<SandboxParts> {
  const log = new EventLog(org.clock, options.eventsMax);
  const sessions = new Sessions(org.organizationId, options.sessionSeconds ?? 7_200);
  const permissions = new Permissions(org);
  const channels = new Channels(org, permissions.canViewAll);
  const schemas = new EventSchemas();
  const delivery = new EventDelivery(log);
  const timing = timingOf(options);
  const allocation = new EventAllocation(options.dailyDeliveriesMax ?? 5_000_000);
  const latency = new Latency(options.latencyMs ?? 300);
  const refusals = new Refusals();
  const usage = { used: 0, max: options.dailyRequestsMax ?? 5_000_000 };
  const stream = { channels, log, allocation, timing };
  const refusal = () => refusals.ofPubSub();
  const pubSub = new PubSub({ ...stream, org, schemas, tokens: sessions, latency, refusal });
  const pair = selfSignedCertificate(hostNames(options));
  return {
    org,
    permissions,
    log,
    schemas,
    channels,
    delivery,
    changes: new ChangeEvents(org, channels, schemas, delivery),
    allocation,
    sessions,
    timing,
    initialTiming: { ...timing },
    latency,
    refusals,
    cometd: new Cometd({ ...stream, tokens: sessions }),
    pubSub,
    listener: new PubSubListener(pubSub, pair),
    certificate: pair.certificate,
    usage,
    api: new RestApi({ org, channels, permissions, allocation, usage }),
    whmcsCalls: {},
    issuer: await TokenIssuer.create(),
    feed: new Feed(log),
  };
}

/** The host name of the public URL, for the certificate; none if there is no such URL or it has an IP address. */
function hostNames({ publicUrl }: SandboxOptions): string[] {
  const name = publicUrl === undefined ? '' : new URL(publicUrl).hostname;
  return name === '' || isIP(name.replace(/^\[|\]$/g, '')) > 0 ? [] : [name];
}

function timingOf(options: SandboxOptions): Timing {
  return {
    connectTimeoutMs: options.connectTimeoutMs ?? REAL_TIMING.connectTimeoutMs,
    cometdSessionTimeoutMs: options.cometdSessionTimeoutMs ?? REAL_TIMING.cometdSessionTimeoutMs,
    keepaliveMs: options.keepaliveMs ?? REAL_TIMING.keepaliveMs,
    fetchTimeoutMs: options.fetchTimeoutMs ?? REAL_TIMING.fetchTimeoutMs,
    settleMs: options.settleMs ?? REAL_TIMING.settleMs,
  };
}
