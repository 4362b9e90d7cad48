import { writeFile } from 'node:fs/promises';
import { arch, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startRedisServer } from '../../support/redis/redis-server.js';
import { readCommandLine } from '../command-line.js';
import { section, targetSection, type BenchTable } from './bench-table.js';
import { benchChangeEvents } from './change-events.bench.js';
import { benchClusterAcknowledgement } from './cluster-acknowledgement.bench.js';
import type { Contender } from './contender.js';
import { contenders } from './contenders.js';
import { benchCrossProcess } from './cross-process.bench.js';
import { benchFairness } from './fairness.bench.js';
import { benchFanOut } from './fan-out.bench.js';
import { benchHits } from './hits.bench.js';
import { benchL1Hit } from './l1-hit.bench.js';
import { benchL2Hit } from './l2-hit.bench.js';
import { benchMany } from './many.bench.js';
import { benchMemory } from './memory.bench.js';
import { readOptions, USAGE, type ScenarioName } from './options.js';
import { benchmarkPage } from './page.js';
import { peerVersion } from './peers/peer-package.js';
import { benchSingleFlight } from './single-flight.bench.js';
import { benchStampede } from './stampede.bench.js';
import { benchWide } from './wide.bench.js';

/**
 * Measures Evergreen beside its peers and the floors, in one run, and prints a page. Exit code 1: a target was missed,
 * or the run failed.
 */
const options = readCommandLine(readOptions, USAGE);
const effort = { isQuick: options.isQuick };

/**
 * Every contender, or with `--no-peers` Evergreen alone. A contender whose package is missing cannot take part in any
 * scenario, and names that reason.
 */
async function entered(): Promise<{ all: Contender[]; versions: string[] }> {
  const all: Contender[] = [];
  const versions: string[] = [];
  for (const contender of contenders) {
    const { name, packageName } = contender;
    if (!packageName) {
      all.push(contender);
      continue;
    }
    if (!options.withPeers) continue;
    try {
      versions.push(`${name} ${await peerVersion(packageName)}`);
      all.push(contender);
    } catch {
      all.push({ ...contender, open: () => Promise.reject(new Error('its package is not installed')) });
    }
  }
  return { all, versions };
}

type Scenario = (redisUrl: string, all: readonly Contender[]) => Promise<BenchTable | BenchTable[]>;
const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  hits: (url) => benchHits(url, effort),
  'l1-hit': (url, all) => benchL1Hit(url, all, effort),
  'l2-hit': (url, all) => benchL2Hit(url, all, effort),
  many: (url) => benchMany(url, effort),
  'one-process': (url, all) => benchSingleFlight(url, all, effort),
  'four-processes': (url, all) => benchStampede(url, all, effort),
  'cross-process': (url, all) => benchCrossProcess(url, all, effort),
  cluster: () => benchClusterAcknowledgement(effort),
  'fan-out': (_url, all) => benchFanOut(all, effort),
  wide: () => benchWide(effort),
  memory: (_url, all) => benchMemory(all, effort),
  'change-events': () => benchChangeEvents(effort),
  fairness: () => benchFairness(effort),
};

async function redisVersion(url: string): Promise<string> {
  const redis = new Redis(url);
  const info = await redis.info('server');
  redis.disconnect();
  return /redis_version:(\S+)/.exec(info)?.[1] ?? 'unknown';
}

async function runAll(): Promise<void> {
  const { all, versions } = await entered();
  const tables: BenchTable[] = [];
  const server = await startRedisServer();
  try {
    for (const name of options.only) {
      const begin = performance.now();
      const outcome = [await scenarios[name](server.url, all)].flat();
      console.log(`${outcome.map(section).join('\n\n')}\n`);
      console.error(`${name}: ${((performance.now() - begin) / 1000).toFixed(0)} s`);
      tables.push(...outcome);
    }
    const targets = tables.flatMap((table) => table.targets);
    console.log(targetSection(targets));
    if (targets.some(({ isMet }) => !isMet)) process.exitCode = 1;
    if (!options.write) return;
    const machine = [
      `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
      `${type()} ${release().split('-')[0] ?? ''} ${arch()}`,
      `Node ${process.version}, Redis ${await redisVersion(server.url)} on the same machine`,
    ];
    const page = benchmarkPage({ machine, versions, isQuick: effort.isQuick, tables });
    await writeFile(join(process.cwd(), 'docs', 'benchmarks.md'), page);
  } finally {
    await server.stop();
  }
}

// An error that a peer throws outside of a call must not end the run.
process.on('uncaughtException', (error) => console.error(`a contender threw: ${String(error)}`));
// The private Redis servers do not keep this process alive, so this timer does.
const alive = setInterval(() => undefined, 60_000);
try {
  await runAll();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
clearInterval(alive);
process.exit(); // a peer may leave a timer or a connection behind
