import { Redis } from 'ioredis';
import { markdownTable } from '../bench-table.js';
import { peerVersion } from '../peers/peer-package.js';
import { startRedisServer } from '../../../support/redis/redis-server.js';
import { bentocache, bentocacheWithTimeouts } from './bentocache.js';
import { cacheManager, cacheManagerWithErrors, cacheManagerWithTimeouts } from './cache-manager.js';
import { cases, type Case } from './cases.js';
import { endingOf, inWords } from './ending.js';
import { evergreen } from './evergreen.js';
import { outageCases } from './outage-cases.js';
import { Stage } from './stage.js';
import type { Subject } from './subject.js';

/** How long one case may take, the opening of its instances included: several times what the longest takes. */
const CASE_MS_MAX = 60_000;
const withoutOutage: readonly Subject[] = [evergreen, bentocache, cacheManager];
const inOutage: readonly Subject[] = [
  evergreen,
  bentocache,
  bentocacheWithTimeouts,
  cacheManager,
  cacheManagerWithTimeouts,
  cacheManagerWithErrors,
];

async function table(title: string, subjects: readonly Subject[], all: readonly Case[]): Promise<string> {
  const rows: string[][] = [];
  for (const one of all) {
    const answers: string[] = [];
    for (const subject of subjects) answers.push(await answerOf(subject, one));
    rows.push([one.question, ...answers]);
    process.stderr.write(`${one.question}: ${answers.join(' | ')}\n`);
  }
  return markdownTable([title, ...subjects.map(({ name }) => name)], rows);
}

async function answerOf(subject: Subject, { question, ours, ask }: Case): Promise<string> {
  const ending = await endingOf(Stage.run(subject, ask), CASE_MS_MAX);
  const answer = ending.kind === 'resolved' ? String(ending.value) : `failed: ${inWords(ending)}`;
  if (ending.kind === 'rejected') process.stderr.write(`${subject.name}: ${question}: ${String(ending.error)}\n`);
  if (subject === evergreen && !ours.test(answer)) {
    process.stderr.write(`Evergreen broke its promise: ${question}: ${answer} in place of ${String(ours)}\n`);
    process.exitCode = 1;
  }
  return answer;
}

async function versions(): Promise<string> {
  const server = await startRedisServer();
  const client = new Redis(server.url);
  const redis = /redis_version:(\S+)/.exec(await client.info('server'))?.[1];
  client.disconnect();
  await server.stop();
  const peers: string[] = [];
  for (const name of ['bentocache', 'cache-manager', 'keyv', '@keyv/redis'])
    peers.push(`${name} ${await peerVersion(name)}`);
  return [new Date().toISOString().slice(0, 10), ...peers, `Redis ${redis}`, `Node ${process.version}`].join(', ');
}

// A peer may throw outside of a call when its Redis is gone. That must not end the run.
process.on('uncaughtException', (error) => process.stderr.write(`a subject threw: ${String(error)}\n`));
process.on('unhandledRejection', (error) => process.stderr.write(`a subject left a rejection: ${String(error)}\n`));
console.error = () => undefined; // ioredis reports each failed attempt to reconnect
const alive = setInterval(() => undefined, 60_000); // the private servers do not keep this process alive

/**
 * `npm run bench -- --comparison`: asks Evergreen and two peers the questions of docs/comparison.md and prints the
 * page's tables. Exit code 1: Evergreen gave another answer than we promise, or the tables could not be made.
 */
try {
  const head = await versions();
  const working = await table('', withoutOutage, cases);
  const away = await table('Redis is', inOutage, outageCases);
  process.stdout.write(`${head}\n\n${working}\n\n${away}\n`);
} catch (error) {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
}
clearInterval(alive);
process.exit(); // a peer may leave a timer or a connection behind
