import type { TopicHealth, TopicState } from '@bff/integrations/salesforce/events/change-event-source';
import type { ApiUsage } from '@bff/integrations/salesforce/salesforce.client';
import type { ConsumerRole } from './consuming/active-consumer.js';
import type { ReconcilerReport } from './reconciler/reconciler.js';
import type { TopicCounters } from './consuming/topic-consumer.js';

/** Name of the consumer's lease. One process holds it among all that share a store, and with it one org. */
export const CONSUMER = 'salesforce-events';

/** The topic of the process board under which consumers report. */
export const CONSUMER_TOPIC = 'sf-events';

/** One topic as one process sees it. */
export type TopicReport = TopicHealth & TopicCounters & { readonly subscriptions: readonly string[] };

/** A topic to which the active consumer has no subscription. */
export interface AbsentTopic {
  readonly topic: string;
  readonly state: 'absent';
}

/**
 * A topic as health shows it. `quiet`: it was live, and neither an event nor a keep-alive has come on its stream for a
 * minute, which is usual where nothing changes; the stream is replaced when a keep-alive is overdue.
 */
export type ShownTopic = (Omit<TopicReport, 'state'> & { readonly state: TopicState | 'quiet' }) | AbsentTopic;

/** One process's report on the change events that it consumes, or would consume. */
export interface ConsumerReport {
  readonly transport: string;
  /** The process, as the lease names it. */
  readonly holder: string;
  readonly role: ConsumerRole;
  /** Empty unless the process is the active consumer. */
  readonly topics: readonly TopicReport[];
  /** Undefined when the reconciler is switched off, or the process is not the active consumer. */
  readonly reconciler?: ReconcilerReport;
}

/**
 * `live`: followed to within seconds · `lagging`: behind, but within the bound · `lost`: entries that depend on it are
 * served with a bounded age
 */
export type FeedState = 'live' | 'lagging' | 'lost';

/** How far the changes of one object or message have been followed, as every process sees it. */
export interface FeedHealth {
  readonly feed: string;
  readonly state: FeedState;
  /** How many milliseconds ago the feed was up to date, with every announced change applied; undefined: never yet. */
  readonly behindMs: number | undefined;
}

/**
 * After this many failures the present event of a topic counts as stuck: it leaves entries out of date. A single
 * failure can be a short outage of the store.
 */
const FAILURES_UNTIL_STUCK = 2;
/** How far behind a `live` feed may be: a beat of the consumer (750 ms), plus time to apply changes. */
const LIVE_MS = 5_000;

/**
 * `up`: every topic is live and applies its events, and every feed is live · `degraded`: some topic or feed is not, or
 * events are switched off · `down`: no process consumes, no topic is live, or the store cannot say. Only `up` means
 * that entries without a TTL are fresh; a lost feed bounds their age.
 */
export type EventsStatus = 'up' | 'degraded' | 'down';

/** The answer of `GET /health/sf-events`. */
export interface EventsHealth {
  /** The org's API requests of 24 hours and their reserve, from the newest answer that this process received. */
  readonly apiUsage?: ApiUsage;
  readonly status: EventsStatus;
  /** Explains any status but `up`. */
  readonly reason?: string;
  readonly transport?: string;
  /** The process that consumes; undefined while none does. */
  readonly leader?: string;
  /** Number of live processes that consume or stand by. One that has died is counted for 5 s at most. */
  readonly consumers: number;
  readonly feeds: readonly FeedHealth[];
  readonly topics: readonly ShownTopic[];
  readonly reconciler?: ReconcilerReport;
}

/** What the reports are judged by: what the store knows, and what the process that answers needs. */
export interface StoreWord {
  /** The holder of the consumer's lease; any other process that reports itself active is out of date. */
  readonly holder: string | undefined;
  /** Age of each feed, in ms. */
  readonly ages: ReadonlyMap<string, number>;
  /** Age in ms at which a feed counts as lost; its entries are then served with a bounded age. */
  readonly lostAfterMs: number;
  /** Feeds that the caches of the process that answers rely on. */
  readonly relied: readonly string[];
}

/** The states of a topic, best first. If several consumers report a topic, its best state counts. */
const BEST_FIRST: readonly TopicState[] = ['live', 'connecting', 'lost', 'stopped'];

/**
 * Guarantees `up` only when one process consumes, each expected topic has a subscriber and a live subscription in it
 * that applies its events, the integration user may read every object, and every feed has been followed to within
 * seconds. A configured topic that no subscriber asked for is `absent`, which reveals a subscriber that was never
 * registered.
 */
export function eventsHealth(
  expected: readonly string[],
  reports: readonly ConsumerReport[],
  store: StoreWord,
): EventsHealth {
  const active = reports.filter(({ role, holder }) => role === 'active' && holder === store.holder);
  const [leader] = active;
  const topics = [
    ...new Set([...expected, ...active.flatMap((report) => report.topics.map(({ topic }) => topic))]),
  ].map((topic): TopicReport | AbsentTopic => bestOf(topic, active) ?? { topic, state: 'absent' });
  const followed = followedBy(topics);
  const feeds = feedsOf(followed, store);
  const transport = reports[0]?.transport;
  const standBys = reports.filter(({ role }) => role === 'stand-by').length;
  const common = {
    ...(transport !== undefined && { transport }),
    ...(leader && { leader: leader.holder }),
    consumers: standBys + active.length,
    feeds,
    topics: topics.map(quietIfSilent),
    ...(leader?.reconciler && { reconciler: leader.reconciler }),
  };
  if (leader === undefined) return { status: 'down', reason: withoutLeader(standBys), ...common };
  const broken = topics.filter((topic) => topic.state !== 'live' || isStuck(topic) || isBlind(topic));
  const troubles = [...saidOnce(broken.map(trouble)), ...feedTroubles(feeds, followed, broken)];
  if (troubles.length === 0) return { status: 'up', ...common };
  return {
    status: topics.some(({ state }) => state === 'live') ? 'degraded' : 'down',
    reason: troubles.join('; '),
    ...common,
  };
}

/** The answer when events are switched off, which bounds change-driven entries by `maxAgeSeconds`. */
export function eventsDisabled(maxAgeSeconds: number): EventsHealth {
  const reason = `change events are switched off (SF_EVENTS_ENABLED=false): entries live at most ${maxAgeSeconds} s`;
  return { status: 'degraded', reason, consumers: 0, feeds: [], topics: [] };
}

function withoutLeader(standBys: number): string {
  if (standBys === 0) return 'no process consumes change events; start a worker (npm run start:worker)';
  return `no process is the active consumer of change events; ${standBys} stand by and take over when the lease is free`;
}

/** The feeds that have a subscription in these topics. */
function followedBy(topics: readonly (TopicReport | AbsentTopic)[]): readonly string[] {
  return topics.flatMap((topic) => ('subscriptions' in topic ? topic.subscriptions : []));
}

/**
 * The feeds that the leader follows, because the store also remembers feeds that no subscriber asks for any more;
 * without a leader, all feeds that the store knows. In addition, the feeds that a cache relies on, whether a process
 * follows them or not.
 */
function feedsOf(followed: readonly string[], { ages, lostAfterMs, relied }: StoreWord): FeedHealth[] {
  return [...new Set([...(followed.length > 0 ? followed : ages.keys()), ...relied])].sort().map((feed) => {
    const age = ages.get(feed);
    const behindMs = age === undefined ? undefined : Math.ceil(age);
    if (behindMs === undefined || behindMs >= lostAfterMs) return { feed, state: 'lost', behindMs };
    return { feed, state: behindMs <= LIVE_MS ? 'live' : 'lagging', behindMs };
  });
}

/**
 * The feeds that are not live although their topics are healthy: missed events are still arriving, there are too many
 * to keep up with, or no subscriber follows the feed.
 */
function feedTroubles(
  feeds: readonly FeedHealth[],
  followed: readonly string[],
  broken: readonly (TopicReport | AbsentTopic)[],
): string[] {
  const explained = new Set(followedBy(broken));
  return feeds
    .filter(({ feed, state }) => state !== 'live' && !explained.has(feed))
    .map(({ feed, state, behindMs }) => {
      if (!followed.includes(feed))
        return `a cache relies on the changes of ${feed}, which nobody follows: the worker needs the subscriber's module, too`;
      if (behindMs === undefined) return `the changes of ${feed} are not followed yet`;
      return `the changes of ${feed} are followed up to ${Math.round(behindMs / 1_000)} s ago (${state})`;
    });
}

function bestOf(topic: string, reports: readonly ConsumerReport[]): TopicReport | undefined {
  return reports
    .flatMap((report) => report.topics.filter((each) => each.topic === topic))
    .sort((a, b) => rank(a) - rank(b))[0];
}

/** Live topics that apply their events rank first, then live but stuck ones, then the rest. */
function rank(report: TopicReport): number {
  return 2 * BEST_FIRST.indexOf(report.state) + (isStuck(report) ? 1 : 0);
}

/** Live, but the current event cannot be applied, and later ones wait. */
function isStuck(report: TopicReport | AbsentTopic): boolean {
  return report.state === 'live' && report.failures >= FAILURES_UNTIL_STUCK;
}

/** Live, but Salesforce leaves out changes of objects that the integration user cannot read. */
function isBlind(report: TopicReport | AbsentTopic): boolean {
  return report.state === 'live' && report.unreadable.length > 0;
}

/** What is wrong with a topic: `what` without its name, so that several of which it is true can be named together. */
interface Trouble {
  readonly topic: string;
  readonly what: string;
}

function trouble(report: TopicReport | AbsentTopic): Trouble {
  const { topic } = report;
  if (report.state === 'absent') return { topic, what: ': no subscriber is registered for it' };
  if (isStuck(report)) {
    const since = report.pendingSince === undefined ? '' : ` since ${new Date(report.pendingSince).toISOString()}`;
    const why = report.lastError ?? 'no reason';
    return { topic, what: `: an event could not be applied${since} (${report.failures} times: ${why})` };
  }
  if (isBlind(report)) {
    const objects = report.unreadable.join(', ');
    return { topic, what: `: the integration user may not read all of ${objects}, so not all changes arrive` };
  }
  return { topic, what: ` is ${report.state}${report.lastError ? ` (${report.lastError})` : ''}` };
}

/** Each trouble once, with the names of all topics that have it. */
function saidOnce(troubles: readonly Trouble[]): string[] {
  const topicsOf = new Map<string, string[]>();
  for (const { topic, what } of troubles) topicsOf.set(what, [...(topicsOf.get(what) ?? []), topic]);
  return [...topicsOf].map(([what, topics]) => {
    const verb = topics.length > 1 ? what.replace(/^ is /, ' are ').replace(/ for it$/, ' for them') : what;
    return `${topics.join(', ')}${verb}`;
  });
}

/** A live topic on whose stream nothing has come for long is shown as `quiet`: nobody can know whether it still is. */
function quietIfSilent(topic: TopicReport | AbsentTopic): ShownTopic {
  return topic.state === 'live' && topic.silentSince !== undefined ? { ...topic, state: 'quiet' } : topic;
}
