import type { ConsumerReport, TopicReport } from './events-report.js';
import type { TableReconciliation } from './reconciler/reconciler.js';

/** The topic of the process board under which consumers publish what they have counted. */
export const EVENTS_COUNTED_TOPIC = 'sf-events-counted';

const OF_TOPIC = ['skipped', 'ignored', 'invalidations', 'poisoned', 'retries', 'reconnects', 'gaps'] as const;
const OF_TABLE = ['runs', 'apiCalls', 'missed', 'rechecked', 'wholeTables'] as const;

type Counts<Names extends readonly string[]> = { -readonly [Name in Names[number]]: number };

/** What a consumer has counted of one topic; each number only grows. */
export type CountedTopic = Counts<typeof OF_TOPIC> & { events: Record<string, number> };

/** What one process has counted since it began, or the sum over several. */
export interface CountedEvents {
  readonly topics: Readonly<Record<string, CountedTopic>>;
  readonly tables: Readonly<Record<string, Counts<typeof OF_TABLE>>>;
}

type CountsOfTopic = Pick<TopicReport, (typeof OF_TOPIC)[number] | 'events'>;

/** Adds what was counted of a topic to a sum. An older process has fewer counters; the missing ones count as zero. */
export function addCountedTopic(sum: CountedTopic | undefined, more: Partial<CountsOfTopic>): CountedTopic {
  const events = { ...sum?.events };
  for (const [name, count] of Object.entries(more.events ?? {})) events[name] = (events[name] ?? 0) + count;
  return { ...added(OF_TOPIC, sum, more), events };
}

/** The counters of a reconciler, by table. */
export function countedTables(tables: readonly TableReconciliation[]): CountedEvents['tables'] {
  return Object.fromEntries(tables.map((table) => [table.table, added(OF_TABLE, undefined, table)]));
}

/** The sum of what these processes have counted. An older process may report less. */
export function sumOfCounted(reports: readonly Partial<CountedEvents>[]): CountedEvents {
  const topics: Record<string, CountedTopic> = {};
  const tables: Record<string, Counts<typeof OF_TABLE>> = {};
  for (const report of reports) {
    for (const [name, more] of Object.entries(report.topics ?? {})) topics[name] = addCountedTopic(topics[name], more);
    for (const [name, more] of Object.entries(report.tables ?? {})) tables[name] = added(OF_TABLE, tables[name], more);
  }
  return { topics, tables };
}

/** The report with the counters of all processes in the place of its own. Its state is still its own. */
export function withCounted(report: ConsumerReport, counted: CountedEvents): ConsumerReport {
  const topics = report.topics.map((topic) => ({ ...topic, ...counted.topics[topic.topic] }));
  const { reconciler } = report;
  if (reconciler === undefined) return { ...report, topics };
  const tables = reconciler.tables.map((table) => ({ ...table, ...counted.tables[table.table] }));
  const sum = (of: (table: TableReconciliation) => number): number => tables.reduce((all, each) => all + of(each), 0);
  return {
    ...report,
    topics,
    reconciler: {
      ...reconciler,
      apiCalls: sum(({ apiCalls }) => apiCalls),
      missed: sum(({ missed }) => missed),
      rechecked: sum(({ rechecked }) => rechecked),
      wholeTables: sum(({ wholeTables }) => wholeTables),
      tables,
    },
  };
}

function added<const Names extends readonly string[]>(
  names: Names,
  sum: Partial<Counts<Names>> | undefined,
  more: Partial<Counts<Names>>,
): Counts<Names> {
  const both = names.map((name: Names[number]) => [name, (sum?.[name] ?? 0) + (more[name] ?? 0)]);
  return Object.fromEntries(both) as Counts<Names>;
}
