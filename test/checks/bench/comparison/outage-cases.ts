import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { KEY, type Case } from './cases.js';
import { endingOf, inWords } from './ending.js';
import { Source } from './source.js';
import type { Stage } from './stage.js';
import type { Instance } from './subject.js';

const COLD_KEY = 'orders:2';
/** A call that has not ended by then counts as hanging. */
const PATIENCE_MS = 5_000;
/** How long Redis is away before the entry of an L1 is read: longer than the lease of our L1 (1 s). */
const OUTAGE_MS = 3_000;
/** How long clients have to notice that their connection is gone. */
const NOTICED_MS = 200;
/** How long clients have to reconnect, and to repeat what they owe, before the key is read. */
const RECOVERY_MS = 3_000;

type Outage = 'killed' | 'silent';

/** What each cache does while Redis is away. Two instances hold the old value of the key in their L1s before. */
export const outageCases: readonly Case[] = [
  {
    question: 'killed: a read of a cold key',
    ours: /^`new` at once/,
    ask: (stage) => during('killed', stage, (a, source) => a.get(COLD_KEY, source.fetch)),
  },
  {
    question: `killed ${OUTAGE_MS / 1000} s ago: a read of an entry that was in the L1`,
    ours: /^`new` at once/,
    ask: (stage) => during('killed', stage, (a, source) => a.get(KEY, source.fetch), OUTAGE_MS),
  },
  {
    question: 'killed: `delete(key)`',
    ours: /^rejected at once/,
    ask: (stage) => during('killed', stage, (a) => a.delete(KEY)),
  },
  {
    question: `… it is back with its data for ${RECOVERY_MS / 1000} s: the key, read by the instance that held it and by a fresh one`,
    ours: /^new, new$/,
    ask: afterReturn,
  },
  {
    question: 'silent: a read of a cold key',
    ours: /^`new` at once/,
    ask: (stage) => during('silent', stage, (a, source) => a.get(COLD_KEY, source.fetch)),
  },
  {
    question: 'silent: `delete(key)`',
    ours: /^rejected after/,
    ask: (stage) => during('silent', stage, (a) => a.delete(KEY)),
  },
];

async function during(
  outage: Outage,
  stage: Stage,
  call: (instance: Instance, source: Source) => Promise<unknown>,
  afterMs = 0,
): Promise<string> {
  const { a, source } = await holdOld(stage);
  await begin(outage, stage);
  await delay(afterMs);
  return inWords(await endingOf(call(a, source), PATIENCE_MS));
}

async function afterReturn(stage: Stage): Promise<string> {
  const { a, b, source } = await holdOld(stage);
  await begin('killed', stage);
  await endingOf(a.delete(KEY), PATIENCE_MS);
  await stage.redis.restart();
  await delay(RECOVERY_MS);
  const fresh = await stage.open();
  const reads = [await endingOf(b.get(KEY, source.fetch), PATIENCE_MS)];
  reads.push(await endingOf(fresh.get(KEY, source.fetch), PATIENCE_MS));
  return reads.map((read) => (read.kind === 'resolved' ? String(read.value) : inWords(read))).join(', ');
}

async function holdOld(stage: Stage): Promise<{ a: Instance; b: Instance; source: Source }> {
  const [a, b] = [await stage.open(), await stage.open()];
  const source = new Source();
  await a.get(KEY, source.fetch);
  await b.get(KEY, source.fetch);
  source.value = 'new';
  return { a, b, source };
}

/**
 * Takes Redis away. A killed Redis refuses connections and keeps its data on disk; a silent one keeps connections and
 * answers nothing.
 */
async function begin(outage: Outage, { redis }: Stage): Promise<void> {
  if (outage === 'silent') {
    redis.pause();
    return;
  }
  const client = new Redis(redis.url);
  await client.save();
  client.disconnect();
  await redis.kill();
  await delay(NOTICED_MS);
}
