import 'reflect-metadata';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { PubSubChangeEventSource } from '@bff/integrations/salesforce/events/pubsub-change-event-source';
import { SalesforceConnection } from '@bff/integrations/salesforce/connection/salesforce-connection';
import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { ChangeEventPipeline, orderId, ORDERS, updates } from '../change-events-pipeline.js';
import type { ApplyRow, ChangeEventsJob, ChangeEventsReport, Server } from './change-events.messages.js';

/** The consumer of the change-event benchmark, in a separate process: it carries out one job, reports, and ends. */

/** Number of events that the floor sends together (`BATCH`), and of those that warm up. */
const BATCH = 500;
const WARM_UP = 4_000;
/**
 * Number of changes that one call makes in the sandbox (`BURST`), and how many changes may wait there at most to be
 * applied (`AHEAD_MAX`): its log keeps 100,000 events.
 */
const BURST = 1_000;
const AHEAD_MAX = 50_000;
/** Least time between two samples of the heap: one costs as much as about ten events. */
const SAMPLE_MS = 10;

const ROWS = ['uncached', 'dependants', 'told'] as const;

type Watched = Omit<ChangeEventsReport, 'row' | 'events' | 'waitingMost'>;

/** Measures clock, processors and heap from here until `end`; `sample` in between notes the heap. */
function watch(redis: Server, sandbox?: Server): { sample(): void; end(): Watched } {
  const cpu = process.cpuUsage();
  const [redisCpu, sandboxCpu] = [cpuMsOf(redis), cpuMsOf(sandbox)];
  const begin = performance.now();
  const heapBytes = usedBytes();
  let peakHeapBytes = heapBytes;
  let sampledAt = 0;
  const sample = () => {
    if (performance.now() - sampledAt < SAMPLE_MS) return;
    sampledAt = performance.now();
    peakHeapBytes = Math.max(peakHeapBytes, usedBytes());
  };
  const since = (before: number | undefined, now: number | undefined) =>
    before === undefined || now === undefined ? undefined : now - before;
  return {
    sample,
    end: () => {
      const ms = performance.now() - begin;
      const { user, system } = process.cpuUsage(cpu);
      peakHeapBytes = Math.max(peakHeapBytes, usedBytes());
      return {
        ms,
        consumerCpuMs: (user + system) / 1_000,
        redisCpuMs: since(redisCpu, cpuMsOf(redis)),
        sandboxCpuMs: since(sandboxCpu, cpuMsOf(sandbox)),
        heapBytes,
        peakHeapBytes,
        peakResidentBytes: process.resourceUsage().maxRSS * 1_024,
      };
    },
  };
}

function usedBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Processor time of another process, in milliseconds at a resolution of 10 ms; only Linux offers it this simply. */
function cpuMsOf(server: Server | undefined): number | undefined {
  if (server === undefined || process.platform !== 'linux') return undefined;
  const stat = readFileSync(`/proc/${server.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** The least that Redis does for this many dependencies: one write and one message each, in batches, each awaited. */
async function floor(redis: Server, events: number): Promise<Watched> {
  const client = new Redis(redis.url);
  await client.ping();
  const watched = watch(redis);
  for (let done = 0; done < events; done += BATCH) {
    const batch = client.pipeline();
    for (let i = done; i < Math.min(events, done + BATCH); i++) {
      const dependency = `r:Order:${orderId(i)}`;
      batch.zadd('floor:iv', i, dependency).publish('floor:in', dependency);
    }
    await batch.exec();
  }
  const outcome = watched.end();
  await client.unlink('floor:iv');
  client.disconnect();
  return outcome;
}

async function applyRow(
  pipeline: ChangeEventPipeline,
  row: Exclude<ApplyRow, 'floor'>,
  { redis, events }: ChangeEventsJob & { kind: 'apply' },
): Promise<ChangeEventsReport> {
  // `fill` stores entries for orders from number 0; those with these high numbers have none.
  const first = row === 'uncached' ? 10_000_000 : 0;
  if (row !== 'uncached') await pipeline.fill(events);
  if (row !== 'uncached' && (await pipeline.keptOf(events)) < 1) throw new Error('not everything was filled');
  pipeline.tellsBrowsers = row === 'told';
  const watched = watch(redis);
  pipeline.onApplied = watched.sample;
  const waitingMost = await pipeline.apply(updates(events, first));
  const outcome = watched.end();
  if ((await pipeline.keptOf(events)) > 0) throw new Error('what changed is still served');
  return { row, events, waitingMost, ...outcome };
}

async function apply(job: ChangeEventsJob & { kind: 'apply' }): Promise<ChangeEventsReport[]> {
  const pipeline = await ChangeEventPipeline.open(job.redis.url);
  const reports: ChangeEventsReport[] = [];
  await pipeline.apply(updates(WARM_UP, 20_000_000));
  for (let round = 0; round < job.rounds; round++) {
    reports.push({ row: 'floor', events: job.events, waitingMost: 0, ...(await floor(job.redis, job.events)) });
    // Each round begins with another row, because the first row pays for what Redis still has to sweep.
    for (let i = 0; i < ROWS.length; i++) {
      reports.push(await applyRow(pipeline, ROWS[(i + round) % ROWS.length] as (typeof ROWS)[number], job));
    }
  }
  await pipeline.close();
  return reports;
}

async function burst({ redis, events }: ChangeEventsJob & { kind: 'burst' }): Promise<ChangeEventsReport[]> {
  const pipeline = await ChangeEventPipeline.open(redis.url);
  const watched = watch(redis);
  pipeline.onApplied = watched.sample;
  const waitingMost = await pipeline.apply(updates(events));
  const outcome = watched.end();
  await pipeline.close();
  return [{ row: 'burst', events, waitingMost, ...outcome }];
}

async function follow(job: ChangeEventsJob & { kind: 'follow' }): Promise<ChangeEventsReport[]> {
  const { redis, sandbox, events, readyFirst } = job;
  const pipeline = await ChangeEventPipeline.open(redis.url);
  const source = sourceOf(job);
  const start = () => source.start(new Map([[ORDERS, pipeline]]), () => pipeline.consumer.position());
  let notify = (): void => undefined;
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await new Promise<void>((resolve) => (notify = resolve));
  };
  pipeline.onApplied = () => notify();
  const looking = setInterval(() => notify(), 20);
  await start();
  await until(() => source.health()[0]?.state === 'live');
  await changeOrders(sandbox.url, BURST);
  await until(() => pipeline.applied >= BURST);
  let made = BURST;
  if (readyFirst > 0) await source.stop();
  for (; made < BURST + readyFirst; made += BURST) await changeOrders(sandbox.url, BURST);
  const watched = watch(redis, sandbox);
  let waitingMost = 0;
  pipeline.onApplied = () => {
    watched.sample();
    waitingMost = Math.max(waitingMost, source.health()[0]?.waiting ?? 0);
    notify();
  };
  if (readyFirst > 0) await start();
  for (; made < events + BURST; made += BURST) {
    await until(() => made - pipeline.applied < AHEAD_MAX);
    await changeOrders(sandbox.url, BURST);
  }
  await until(() => pipeline.applied >= events + BURST);
  const outcome = watched.end();
  clearInterval(looking);
  await source.stop();
  await pipeline.close();
  return [{ row: readyFirst > 0 ? 'caught up' : 'followed', events, waitingMost, ...outcome }];
}

function sourceOf({ sandbox, pubSubEndpoint }: ChangeEventsJob & { kind: 'follow' }): PubSubChangeEventSource {
  const credentials = { clientId: 'sandbox-client', clientSecret: 'sandbox-secret' };
  const connection = new SalesforceConnection({ loginUrl: sandbox.url, ...credentials });
  return new PubSubChangeEventSource(connection, { endpoint: `http://${pubSubEndpoint}`, settleMs: 0 });
}

async function changeOrders(sandboxUrl: string, count: number): Promise<void> {
  const answer = await fetch(`${sandboxUrl}/sandbox/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ fault: 'burst', entityName: 'Order', count }),
  });
  if (!answer.ok) throw new Error(`the sandbox made no changes: ${answer.status} ${await answer.text()}`);
}

function report(job: ChangeEventsJob): Promise<ChangeEventsReport[]> {
  if (job.kind === 'apply') return apply(job);
  return job.kind === 'burst' ? burst(job) : follow(job);
}

process.on('disconnect', () => process.exit(0));
Logger.overrideLogger(['error', 'fatal']);
const [job] = (await once(process, 'message')) as [ChangeEventsJob];
try {
  process.send?.({ reports: await report(job) });
} catch (error) {
  process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
