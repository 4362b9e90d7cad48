import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as elapse } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AppProcess } from '../../e2e/support/app-process.js';
import { freePort } from '../../support/free-port.js';
import { AUDIENCE, TokenIssuer } from '../../integration/modules/support/token-issuer.js';
import { startRedisServer } from '../../support/redis/redis-server.js';
import type { BenchEffort, BenchTable, Target } from './bench-table.js';
import type { GreedyOrder, GreedyReport } from './processes/greedy-customer.messages.js';
import { median, percentile } from './statistics.js';

const PROGRAM = fileURLToPath(new URL('./processes/greedy-customer.js', import.meta.url));
const LATENCY_MS = 100;
const READS = 50;
/** How many times longer a customer may wait beside a greedy one. */
const RATIO_MAX = 2;
/** How long the greedy customer is at work before others are measured. */
const WARM_UP_MS = 2_000;

interface Neighbour {
  readonly title: string;
  readonly parallel: number;
  readonly pauseMs: number;
}

const NEIGHBOURS: readonly Neighbour[] = [
  { title: 'one with 20 requests at a time', parallel: 20, pauseMs: 1_000 },
  { title: 'one with 900', parallel: 900, pauseMs: 1_000 },
  { title: 'one with 900, not waiting after a refusal', parallel: 900, pauseMs: 0 },
];

interface Measured {
  readonly times: readonly number[];
  readonly failures: number;
  /** Queries of the greedy customer that reached Salesforce, by second. */
  readonly greedyPerSecond: number;
  readonly answers: Readonly<Record<string, number>>;
}

/** How long customers wait for a page that is not in the cache, alone and beside one who asks for very much. */
export async function benchFairness({ isQuick }: BenchEffort): Promise<BenchTable> {
  const reads = isQuick ? 20 : READS;
  const alone = await measure(reads, undefined);
  const rows: (readonly [Neighbour, Measured])[] = [];
  for (const neighbour of NEIGHBOURS) rows.push([neighbour, await measure(reads, neighbour)]);
  return {
    title: 'Fairness: a page of one customer beside another one',
    intro:
      `Cold \`GET /api/orders\` of ${reads} customers, one after the other (two queries each, ${LATENCY_MS} ms a query), while another ` +
      'one asks for orders that do not exist, each time for another one. BFF, Redis, sandbox and that customer are a process each, ' +
      'and share this machine. That customer repeats a refused request after a second, in the last row at once.',
    header: ['beside', 'p50 ms', 'p95 ms', 'of alone', 'failed', 'its queries a second', 'its answers'],
    rows: [
      ['nobody', ...cells(alone, alone)],
      ...rows.map(([{ title }, measured]) => [title, ...cells(measured, alone)]),
    ],
    notes: [
      'A refused request of that customer is answered after about a second ([limits](concepts/limits.md)), so it does not ask more often than so in any row.',
    ],
    targets: rows.map(([neighbour, measured]) => target(neighbour, measured, alone)),
  };
}

function cells({ times, failures, greedyPerSecond, answers }: Measured, alone: Measured): string[] {
  const ratio = percentile(times, 0.95) / percentile(alone.times, 0.95);
  const shown = Object.entries(answers).map(([status, count]) => `${count} × ${status}`);
  return [
    median(times).toFixed(0),
    percentile(times, 0.95).toFixed(0),
    ratio.toFixed(2),
    String(failures),
    greedyPerSecond.toFixed(0),
    shown.join(', '),
  ];
}

function target({ title }: Neighbour, { times, failures }: Measured, alone: Measured): Target {
  const ratio = percentile(times, 0.95) / percentile(alone.times, 0.95);
  return {
    what: `p95 of a cold page beside ${title}`,
    target: `≤ ${RATIO_MAX} × that of alone, none fails`,
    measured: `${ratio.toFixed(2)} ×, ${failures} failed`,
    isMet: ratio <= RATIO_MAX && failures === 0,
  };
}

/** The waits of so many customers on a new installation, beside this neighbour. */
async function measure(reads: number, neighbour: Neighbour | undefined): Promise<Measured> {
  const [issuer, redis] = await Promise.all([TokenIssuer.start(), startRedisServer()]);
  const [port, sandboxPort, grpcPort] = [await freePort(), await freePort(), await freePort()];
  const env = {
    REDIS_URL: redis.url,
    AUTH_ISSUER: issuer.url,
    AUTH_AUDIENCE: AUDIENCE,
    SF_EVENTS_ENABLED: 'false', // nothing changes meanwhile
    PORT: String(port),
    SANDBOX_PORT: String(sandboxPort),
    SANDBOX_GRPC_PORT: String(grpcPort),
    SANDBOX_LATENCY_MS: String(LATENCY_MS),
    LOG_LEVEL: 'info', // as in production: lines cost time, too
  };
  const apps = [AppProcess.start('sandbox', env), AppProcess.start('bff', env)] as const;
  const [url, sandboxUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${sandboxPort}`];
  try {
    await Promise.all([apps[0].isReadyAt(`${sandboxUrl}/health`), apps[1].isReadyAt(`${url}/health/ready`)]);
    const page = async (customer: number) => {
      const headers = { authorization: `Bearer ${await issuer.token(`customer-${customer}`)}` };
      const begin = performance.now();
      const { status } = await fetch(`${url}/api/orders`, { headers }).then(async (response) => {
        await response.text();
        return response;
      });
      return { ms: performance.now() - begin, status };
    };
    await page(2); // connections, keys, sign-in
    const token = await issuer.token('customer-1');
    const order = neighbour && { url, token, parallel: neighbour.parallel, pauseMs: neighbour.pauseMs };
    const greedy = order && (await startGreedy(order));
    const before = await queriesAt(sandboxUrl);
    const begin = performance.now();
    const answers: { ms: number; status: number }[] = [];
    for (let customer = 3; customer < 3 + reads; customer += 1) answers.push(await page(customer));
    const seconds = (performance.now() - begin) / 1_000;
    const queries = (await queriesAt(sandboxUrl)) - before;
    return {
      times: answers.map(({ ms }) => ms),
      failures: answers.filter(({ status }) => status !== 200).length,
      greedyPerSecond: Math.max(0, queries - 2 * reads) / seconds,
      answers: (await greedy?.())?.counts ?? {},
    };
  } finally {
    await Promise.all(apps.map((app) => app.stop('SIGKILL')));
    await Promise.all([issuer.stop(), redis.stop()]);
  }
}

/** Resolves once the customer is at work, with how to end it. */
async function startGreedy(order: GreedyOrder): Promise<() => Promise<GreedyReport>> {
  const child = fork(PROGRAM, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  child.send(order);
  await once(child, 'message');
  await elapse(WARM_UP_MS);
  return async () => {
    const report = once(child, 'message');
    child.send('stop');
    const [counts] = await Promise.race([report, elapse(30_000, [{ counts: {} }])]);
    child.kill('SIGKILL');
    return counts as GreedyReport;
  };
}

async function queriesAt(sandboxUrl: string): Promise<number> {
  const stats = (await (await fetch(`${sandboxUrl}/sandbox/stats`)).json()) as { salesforce: { queries: number } };
  return stats.salesforce.queries;
}
