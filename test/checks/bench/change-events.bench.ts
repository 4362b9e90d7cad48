import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AppProcess } from '../../e2e/support/app-process.js';
import { freePort } from '../../support/free-port.js';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';
import { BenchProcess } from './bench-process.js';
import type { BenchEffort, BenchTable, Target } from './bench-table.js';
import type { ApplyRow, ChangeEventsJob, ChangeEventsReport, Server } from './processes/change-events.messages.js';
import { median } from './statistics.js';

const PROGRAM = fileURLToPath(new URL('./processes/change-events-process.js', import.meta.url));
const APPLIED_A_SECOND_MIN = 20_000;
const FOLLOWED_A_SECOND_MIN = 3_000;
/**
 * The target for the heap: about three times the heap before the first event. A million events alone take more than 400
 * MiB.
 */
const PEAK_HEAP_MIB_MAX = 128;
/**
 * Gives the consumer the heap of a small container. Without this limit Node collects garbage only at twice that size.
 */
const CONSUMER_ARGS = [`--max-old-space-size=${PEAK_HEAP_MIB_MAX}`];
/** How long a job may take before it counts as failed. A million events take 10 s on an idle machine. */
const JOB_MS_MAX = 600_000;
const MIB = 2 ** 20;

type Answer = { readonly reports: ChangeEventsReport[] } | { readonly error: string };

/** The path of a change event through a worker: events per second, cost, and memory. */
export async function benchChangeEvents({ isQuick }: BenchEffort): Promise<BenchTable[]> {
  const applied = await benchApplied(isQuick ? 2 : 5, isQuick ? 10_000 : 20_000);
  const followed = await benchFollowed(isQuick ? 20_000 : 100_000, 0);
  const caughtUp = await benchFollowed(isQuick ? 40_000 : 200_000, isQuick ? 30_000 : 90_000);
  const burst = await benchBurst(isQuick ? 200_000 : 1_000_000);
  return [applied, followedTable([followed, caughtUp]), memoryTable([burst, caughtUp])];
}

async function benchApplied(rounds: number, events: number): Promise<BenchTable> {
  const reports = await withRedis(async (redis) => {
    const reader = await BenchProcess.start();
    try {
      const order = { contender: 'Evergreen', redisUrl: redis.url };
      await reader.order({ kind: 'open', mode: 'tiered', ...order });
      await reader.order({ kind: 'stampede', key: 'one:entry', callers: 1, fetchMs: 0, startAt: 0, ...order });
      return await carryOut({ kind: 'apply', redis: serverOf(redis), rounds, events });
    } finally {
      await reader.stop();
    }
  });
  const floors = reports.filter(({ row }) => row === 'floor').map(rate);
  const cells = (row: ApplyRow): string[] => {
    const own = reports.filter((report) => report.row === row);
    const ratio = median(own.map((report, round) => rate(report) / (floors[round] ?? Number.NaN)));
    return [`${count(median(own.map(rate)))}/s`, ratio.toFixed(2), ...cpuCells(own)];
  };
  const target = (row: ApplyRow, what: string): Target => {
    const measured = median(reports.filter((report) => report.row === row).map(rate));
    return atLeast(`change events applied, ${what}`, APPLIED_A_SECOND_MIN, measured);
  };
  return {
    title: 'Change events: from decoded to acknowledged',
    intro:
      `${count(events)} updates of as many orders, ready in the process, in batches of up to 500: delivery, the rules of orders, ` +
      'invalidation on Redis, the wait for the L1 of another process, the saved position. The floor: a pipelined ZADD and ' +
      'PUBLISH for each dependency, in the same batches. Medians.',
    header: ['', 'events', 'of the floor', 'processor µs an event: consumer', 'Redis'],
    rows: [
      ['bare ZADD + PUBLISH', ...cells('floor')],
      ['of records that nobody caches', ...cells('uncached')],
      ['of records with an entry each', ...cells('dependants')],
      ['the same, and browsers are told', ...cells('told')],
    ],
    notes: [],
    targets: [target('uncached', 'nobody caches'), target('dependants', 'an entry each')],
  };
}

function benchBurst(events: number): Promise<ChangeEventsReport> {
  return withRedis(async (redis) => one(await carryOut({ kind: 'burst', redis: serverOf(redis), events })));
}

async function benchFollowed(events: number, readyFirst: number): Promise<ChangeEventsReport> {
  const [port, grpcPort] = [await freePort(), await freePort()];
  const limits = { SANDBOX_DAILY_API_REQUESTS: '100000000', SANDBOX_DAILY_EVENT_DELIVERIES: '100000000' };
  const settings = { SANDBOX_PORT: String(port), SANDBOX_GRPC_PORT: String(grpcPort), SANDBOX_LATENCY_MS: '0' };
  const app = AppProcess.start('sandbox', { ...settings, ...limits });
  try {
    const url = `http://127.0.0.1:${port}`;
    await app.isReadyAt(`${url}/sandbox/stats`);
    const sandbox = { url, pid: app.pid };
    const pubSubEndpoint = `127.0.0.1:${grpcPort}`;
    const follow = (redis: RedisServer) =>
      carryOut({ kind: 'follow', redis: serverOf(redis), sandbox, pubSubEndpoint, events, readyFirst });
    return one(await withRedis(follow));
  } finally {
    await app.stop('SIGKILL');
  }
}

function followedTable(reports: readonly [followed: ChangeEventsReport, caughtUp: ChangeEventsReport]): BenchTable {
  const [followed, caughtUp] = reports;
  const cells = (report: ChangeEventsReport) => [
    `${count(rate(report))}/s`,
    ...cpuCells([report]),
    micros(report.sandboxCpuMs, report.events),
  ];
  return {
    title: 'Change events: end to end',
    intro:
      'Changes of orders in the sandbox, over gRPC and Avro, from the first one until the last one is acknowledged and committed. ' +
      'Sandbox, Redis and consumer are a process each and share this machine; the sandbox makes the changes meanwhile, or has ' +
      'made some of them while nobody was subscribed.',
    header: ['', 'events', 'processor µs an event: consumer', 'Redis', 'sandbox'],
    rows: [
      [`${count(followed.events)} as they happen`, ...cells(followed)],
      [`${count(caughtUp.events)} after a pause`, ...cells(caughtUp)],
    ],
    notes: [],
    targets: [atLeast('change events end to end', FOLLOWED_A_SECOND_MIN, rate(followed))],
  };
}

function memoryTable(reports: readonly [burst: ChangeEventsReport, caughtUp: ChangeEventsReport]): BenchTable {
  const names = ['ready in the process', 'over gRPC after a pause'];
  const worst = Math.max(...reports.map(({ peakHeapBytes }) => peakHeapBytes));
  return {
    title: 'Change events: memory under a burst',
    intro:
      `More events are ready than the consumer has room for, which runs with \`${CONSUMER_ARGS.join()}\`. The most that had arrived and were not applied; heap and buffers of ` +
      'the consumer’s process, garbage and the memory of announced changes included: before the first event, and the most after ' +
      'any batch; the most memory that the process ever had.',
    header: ['', 'events', 'waiting at most', 'heap before', 'heap at most', 'resident at most'],
    rows: reports.map((report, i) => [
      names[i] ?? '',
      count(report.events),
      count(report.waitingMost),
      mib(report.heapBytes),
      mib(report.peakHeapBytes),
      mib(report.peakResidentBytes),
    ]),
    notes: [],
    targets: [
      {
        what: `heap of the consumer, ${reports.map(({ events }) => count(events)).join(' and ')} events ready`,
        target: `≤ ${PEAK_HEAP_MIB_MAX} MiB`,
        measured: mib(worst),
        isMet: worst <= PEAK_HEAP_MIB_MAX * MIB,
      },
    ],
  };
}

/** Runs the job in a separate process, so that processor time and heap are the consumer's. */
async function carryOut(job: ChangeEventsJob): Promise<ChangeEventsReport[]> {
  // `apply` also makes the entries in that process, so its heap is not limited.
  const execArgv = job.kind === 'apply' ? [] : CONSUMER_ARGS;
  const child = fork(PROGRAM, { execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const over = new AbortController();
  const failed = Promise.race([
    once(child, 'exit', { signal: over.signal }).then(() => 'its process has ended'),
    delay(JOB_MS_MAX, `no report within ${JOB_MS_MAX} ms`, { signal: over.signal }),
  ]).then((reason) => ({ error: `${job.kind}: ${reason}` }));
  failed.catch(() => undefined); // it rejects when it is aborted below
  try {
    child.send(job);
    const told = once(child, 'message').then(([message]) => message as Answer);
    const answer = await Promise.race([told, failed]);
    if ('error' in answer) throw new Error(answer.error);
    return answer.reports;
  } finally {
    over.abort();
    child.kill('SIGKILL');
  }
}

async function withRedis<T>(work: (redis: RedisServer) => Promise<T>): Promise<T> {
  const redis = await startRedisServer();
  try {
    return await work(redis);
  } finally {
    await redis.stop();
  }
}

function serverOf({ url, pid }: RedisServer): Server {
  return { url, pid };
}

function one([report]: readonly ChangeEventsReport[]): ChangeEventsReport {
  return report as ChangeEventsReport;
}

function rate({ events, ms }: ChangeEventsReport): number {
  return (events / ms) * 1_000;
}

function atLeast(what: string, least: number, measured: number): Target {
  return { what, target: `≥ ${count(least)}/s`, measured: `${count(measured)}/s`, isMet: measured >= least };
}

function cpuCells(reports: readonly ChangeEventsReport[]): string[] {
  const middle = (of: (report: ChangeEventsReport) => number | undefined) => {
    const numbers = reports.map((report) => micros(of(report), report.events)).filter((text) => text !== '–');
    return numbers.length === 0 ? '–' : median(numbers.map(Number)).toFixed(0);
  };
  return [middle(({ consumerCpuMs }) => consumerCpuMs), middle(({ redisCpuMs }) => redisCpuMs)];
}

function micros(cpuMs: number | undefined, events: number): string {
  return cpuMs === undefined ? '–' : ((cpuMs / events) * 1_000).toFixed(0);
}

function count(number: number): string {
  return Math.round(number).toLocaleString('en');
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(0)} MiB`;
}
