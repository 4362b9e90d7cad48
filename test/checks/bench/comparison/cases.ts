import { setTimeout as delay } from 'node:timers/promises';
import { endingOf } from './ending.js';
import { Source } from './source.js';
import type { Stage } from './stage.js';
import type { Instance, Tagging } from './subject.js';

/** A question that each subject answers by what it does. */
export interface Case {
  readonly question: string;
  /** What we promise. The run fails if Evergreen answers otherwise. */
  readonly ours: RegExp;
  ask(stage: Stage): Promise<string>;
}

/**
 * It has a colon, because our L1 keeps a value from Redis only if something can invalidate it: here the namespace
 * `orders`.
 */
export const KEY = 'orders:1';
const CALLERS = 100;
const INSTANCES = 4;
const FETCH_MS = 100;
const ROUNDS = 50;
/**
 * How long after the invalidation the overtaken fetch answers: more than a millisecond, because peers compare time
 * stamps in milliseconds.
 */
const ANSWER_MS = 20;
/** How long after a `delete` another instance is read once more: by then a message of any bus here has arrived. */
const BUS_MS = 250;
const NO_TAGS = 'has no tags';

/** What each cache does while Redis works. */
export const cases: readonly Case[] = [
  {
    question: '`delete(key)` while the fetch of the key runs; then a read',
    ours: /^new$/,
    ask: (stage) => overtake(stage, (a) => [(fetch) => a.get(KEY, fetch), () => a.delete(KEY)]),
  },
  {
    question: 'the same, the fetch runs in another instance; reads in that one and in a third',
    ours: /^new, new$/,
    ask: async (stage) => {
      const [deleter, third] = [await stage.open(), await stage.open()];
      return overtake(stage, (b) => [(fetch) => b.get(KEY, fetch), () => deleter.delete(KEY)], third);
    },
  },
  {
    question: 'the tag is invalidated while the fetch runs; then a read',
    ours: /^new$/,
    ask: (stage) => overtakeTag(stage, (tags) => (fetch) => tags.get(KEY, 'tag', fetch)),
  },
  {
    question: 'the same, and the fetch names the tag only with its answer',
    ours: /^new$/,
    ask: (stage) => overtakeTag(stage, (tags) => (fetch) => tags.getAndLearn(KEY, 'tag', fetch)),
  },
  {
    question: `\`delete(key)\` has resolved; another instance, which holds the entry in its L1, reads at once (${ROUNDS} rounds)`,
    ours: /^old in 0 of/,
    ask: readElsewhereAfterDelete,
  },
  {
    question: `${CALLERS} callers of a cold key in one instance`,
    ours: /^1 fetch$/,
    ask: (stage) => stampede(stage, 1),
  },
  {
    question: `${CALLERS} callers of a cold key in ${INSTANCES} instances`,
    ours: /^1 fetch$/,
    ask: (stage) => stampede(stage, INSTANCES),
  },
  {
    question: `the fetch fails: ${CALLERS} callers in one instance, then another call`,
    ours: /^1 fetch, \d+ errors, not cached$/,
    ask: failingFetch,
  },
  { question: 'the fetch answers `null`; a second call', ours: /^cached$/, ask: nullAnswer },
];

type Read = (fetch: Source['fetch']) => Promise<unknown>;

/**
 * What a read returns if the value changes and is invalidated after a fetch has read it and before that fetch answers.
 */
async function overtake(
  stage: Stage,
  calls: (instance: Instance) => [read: Read, invalidate: () => Promise<unknown>],
  third?: Instance,
): Promise<string> {
  const source = new Source();
  const release = source.hold();
  const [read, invalidate] = calls(await stage.open());
  const overtaken = read(source.fetch);
  await source.read;
  source.value = 'new';
  await invalidate();
  await delay(ANSWER_MS);
  release();
  await overtaken;
  const seen = [await read(source.fetch)];
  if (third) seen.push(await third.get(KEY, source.fetch));
  return seen.join(', ');
}

async function overtakeTag(stage: Stage, reads: (tags: Tagging) => Read): Promise<string> {
  const { tags } = await stage.open();
  if (!tags) return NO_TAGS;
  return overtake(stage, () => [reads(tags), () => tags.invalidate('tag')]);
}

async function readElsewhereAfterDelete(stage: Stage): Promise<string> {
  const [a, b] = [await stage.open(), await stage.open()];
  let old = 0;
  let oldLater = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const key = `orders:${round}`;
    const source = new Source();
    await a.get(key, source.fetch);
    await b.get(key, source.fetch);
    source.value = 'new';
    await a.delete(key);
    if ((await b.get(key, source.fetch)) === 'old') old += 1;
    await delay(BUS_MS);
    if ((await b.get(key, source.fetch)) === 'old') oldLater += 1;
  }
  const later = old > 0 ? `; ${BUS_MS} ms later in ${oldLater}` : '';
  return `old in ${old} of ${ROUNDS}${later}`;
}

async function stampede(stage: Stage, count: number): Promise<string> {
  const instances: Instance[] = [];
  for (let i = 0; i < count; i += 1) instances.push(await stage.open());
  const source = new Source();
  source.answerAfter(delay(FETCH_MS));
  await Promise.all(
    instances.flatMap((instance) => Array.from({ length: CALLERS / count }, () => instance.get(KEY, source.fetch))),
  );
  return fetches(source.fetches);
}

async function failingFetch(stage: Stage): Promise<string> {
  const instance = await stage.open();
  const source = new Source();
  source.answerAfter(delay(FETCH_MS).then(() => Promise.reject(new Error('the source is down'))));
  const ends = await Promise.allSettled(Array.from({ length: CALLERS }, () => instance.get(KEY, source.fetch)));
  const made = source.fetches;
  const errors = ends.filter(({ status }) => status === 'rejected').length;
  source.answerAfter(Promise.resolve());
  const next = await endingOf(instance.get(KEY, source.fetch), 1_000);
  return `${fetches(made)}, ${errors} errors, ${next.kind === 'resolved' ? 'not cached' : 'cached'}`;
}

async function nullAnswer(stage: Stage): Promise<string> {
  const instance = await stage.open();
  const source = new Source();
  source.value = null;
  const values = [await instance.get(KEY, source.fetch), await instance.get(KEY, source.fetch)];
  if (values.some((value) => value !== null)) return `answers ${values.map(String).join(', ')}`;
  return source.fetches === 1 ? 'cached' : 'fetched again';
}

function fetches(count: number): string {
  return count === 1 ? '1 fetch' : `${count} fetches`;
}
