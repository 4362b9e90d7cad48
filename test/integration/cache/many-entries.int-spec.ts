import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { BucketOptions } from '@bff/infra/cache/bucket';
import { ManyBucket, type ManyContext } from '@bff/infra/cache/many-bucket';
import { record, anyRecordOf } from '@bff/infra/cache/dependencies';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { changeDriven } from '@bff/infra/cache/strategies';
import { memoryFixture, redisFixture, type CacheFixture } from '../../support/cache/cache-under-test.js';
import { elapse, eventually } from '../../support/eventually.js';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';
import { createCache } from '@bff/infra/cache/create-cache';

type Id = readonly [id: string];
const ids = (from: number, to: number): Id[] => Array.from({ length: to - from }, (_, i) => [`id${from + i}`] as const);
const value = (answer: PromiseSettledResult<unknown> | undefined) =>
  answer?.status === 'fulfilled' ? answer.value : `rejected: ${String(answer?.reason)}`;

/** A source that counts its calls, and whose calls can be held up. */
class ManySource {
  readonly calls: string[][] = [];
  gate: Promise<void> = Promise.resolve();
  private open = () => undefined as void;

  hold(): void {
    this.gate = new Promise((resolve) => (this.open = resolve));
  }
  release(): void {
    this.open();
  }
  readonly load = async (many: readonly Id[], context: ManyContext) => {
    this.calls.push(many.map(([id]) => id));
    for (const parts of many) context.of(parts).dependsOn(record('Item', parts[0]));
    await this.gate;
    return this.answer(many);
  };
  answer(many: readonly Id[]): (string | null | undefined | Error)[] {
    return many.map(([id]) => {
      if (id.startsWith('absent')) return null;
      if (id.startsWith('unstored')) return undefined;
      return id.startsWith('bad') ? new Error(`${id} is bad`) : `value of ${id}`;
    });
  }
}

const bucketOf = (cache: CacheService, source: ManySource, options: Partial<BucketOptions<string | null, Id>> = {}) =>
  new ManyBucket<string | null, Id>(cache, 'd', 'item', {
    strategy: changeDriven(),
    ...options,
    loadMany: source.load,
  });

const fixtures = [memoryFixture(), redisFixture(1), redisFixture(3), redisFixture(1, 'strict')];

describe.each<CacheFixture>(fixtures)('many entries at once: $name', (fixture) => {
  let cache: CacheService;
  let source: ManySource;
  let bucket: ManyBucket<string | null, Id>;
  beforeAll(() => fixture.setUp());
  afterAll(() => fixture.tearDown());
  beforeEach(() => {
    fixture.reset();
    cache = fixture.create();
    source = new ManySource();
    bucket = bucketOf(cache, source);
  });
  afterEach(() => fixture.closeAll());

  it('asks the source once for what is missing, and answers each id in its place', async () => {
    await bucket.getMany(ids(0, 3));
    const answers = await bucket.getMany([...ids(0, 5), ['id1'], ['id4']]);
    expect(source.calls).toEqual([
      ['id0', 'id1', 'id2'],
      ['id3', 'id4'],
    ]);
    expect(answers.map(value)).toEqual([0, 1, 2, 3, 4, 1, 4].map((i) => `value of id${i}`));
    expect(await bucket.getMany([])).toEqual([]);
    expect(bucket.metrics).toMatchObject({ hits: 3, misses: 5, errors: 0 });
    expect(await bucket.get(['id4'])).toBe('value of id4');
    expect(await bucket.get(['id9'])).toBe('value of id9');
    expect(source.calls.at(-1)).toEqual(['id9']);
  });

  it('an id fails alone; null is kept, undefined is not', async () => {
    const asked: Id[] = [['id1'], ['bad'], ['absent'], ['unstored']];
    const answers = await bucket.getMany(asked);
    expect(answers.map(value)).toEqual(['value of id1', 'rejected: Error: bad is bad', null, undefined]);
    expect(bucket.metrics.errors).toBe(1);
    await bucket.getMany(asked);
    expect(source.calls[1]).toEqual(['bad', 'unstored']);
    await expect(bucket.get(['bad'])).rejects.toThrow('bad is bad');
  });

  it('an id that makes no key fails alone', async () => {
    const answers = await bucket.getMany([['id1'], ['\ud800'], ['x'.repeat(5000)], ['id2']]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    for (const answer of answers.slice(1, 3)) expect(answer).toMatchObject({ reason: { code: 'CACHE_INVALID_KEY' } });
    expect(source.calls).toEqual([['id1', 'id2']]);
    expect(bucket.metrics.errors).toBe(2);
  });

  it('a call that fails, or that does not answer one value for each id, fails its ids and keeps nothing', async () => {
    source.answer = () => ['only one'];
    const short = await bucket.getMany(ids(0, 2));
    expect(short.map(value)).toEqual(
      Array(2).fill(expect.stringMatching(/loadMany of d:item answered 1 values for 2 ids/)),
    );
    source.answer = () => {
      throw new Error('no source');
    };
    expect((await bucket.getMany(ids(0, 2))).map(value)).toEqual(Array(2).fill('rejected: Error: no source'));
    expect(await cache.status(bucket.key(['id0']))).toBe('empty');
  });

  it('sends at most 200 ids a call, and refuses more than 1,000', async () => {
    const answers = await bucket.getMany(ids(0, 450));
    expect(source.calls.map((call) => call.length)).toEqual([200, 200, 50]);
    expect(answers.map(value)).toEqual(ids(0, 450).map(([id]) => `value of ${id}`));
    await expect(bucket.getMany(ids(0, 1001))).rejects.toMatchObject({ code: 'CACHE_INVALID_OPTION' });
  });

  it('an invalidation during the call concerns the entries that depend on it, and no others', async () => {
    source.hold();
    const reading = bucket.getMany(ids(0, 3));
    await eventually(() => source.calls.length === 1);
    await cache.invalidate(record('Item', 'id1'));
    source.release();
    expect((await reading).map(value)).toEqual([0, 1, 2].map((i) => `value of id${i}`));
    const statuses = await Promise.all(ids(0, 3).map((parts) => cache.status(bucket.key(parts))));
    expect(statuses).toEqual(['exists', 'empty', 'exists']);
  });

  it('a caller that comes after that invalidation gets no value of the call', async () => {
    source.hold();
    const reading = bucket.getMany(ids(0, 2));
    await eventually(() => source.calls.length === 1);
    await cache.invalidate(record('Item', 'id1'));
    source.answer = (many) => many.map(([id]) => `new value of ${id}`);
    const later = bucket.get(['id1']);
    await eventually(() => source.calls.length === 2);
    source.release();
    expect(await later).toBe('new value of id1');
    expect(await bucket.get(['id1'])).toBe('new value of id1');
    await reading;
  });

  it('dependencies named for the call hold for all its ids', async () => {
    bucket = new ManyBucket<string | null, Id>(cache, 'd', 'other', {
      strategy: changeDriven(),
      loadMany: (many, context) => {
        context.dependsOn(anyRecordOf('Category'));
        return source.load(many, context);
      },
    });
    await bucket.getMany(ids(0, 3));
    await cache.invalidate(record('Category', 'c1'));
    expect(await cache.status(bucket.key(['id2']))).toBe('empty');
  });

  it('naming an id of another call is a clear error', async () => {
    const wrong = new ManyBucket<string, Id>(cache, 'd', 'wrong', {
      strategy: changeDriven(),
      loadMany: async (many, context) => {
        context.of(['id7']).dependsOn(record('Item', 'id7'));
        return many.map(() => 'value');
      },
    });
    const [answer] = await wrong.getMany(ids(0, 1));
    expect(value(answer)).toMatch(/names an id that it was not asked for: d:wrong:id7/);
  });

  it('joins a build that is under way, and loads the rest without waiting for it', async () => {
    let finish = (_: string) => undefined as void;
    const single = bucket.get(['id1'], () => new Promise<string>((resolve) => (finish = resolve)));
    await eventually(async () => (await cache.status(bucket.key(['id1']))) === 'pending');
    const reading = bucket.getMany(ids(0, 3));
    await eventually(() => source.calls.length === 1);
    expect(source.calls[0]).toEqual(['id0', 'id2']);
    finish('built alone');
    expect(await single).toBe('built alone');
    expect((await reading).map(value)).toEqual(['value of id0', 'built alone', 'value of id2']);
    expect(bucket.metrics).toMatchObject({ coalesced: 1, misses: 3 });
  });
});

describe.each([redisFixture(1), redisFixture(3), redisFixture(2, 'strict')])(
  'many entries in a fleet: $name',
  (fixture) => {
    beforeAll(() => fixture.setUp());
    afterAll(() => fixture.tearDown());
    beforeEach(() => fixture.reset());
    afterEach(() => fixture.closeAll());

    it('four processes that ask for 200 ids, half of them missing, load each missing id once, with one call each at most', async () => {
      const source = new ManySource();
      const buckets = Array.from({ length: 4 }, () => bucketOf(fixture.create(), source));
      await buckets[0]?.getMany(ids(0, 100));
      source.calls.length = 0;
      const answers = await Promise.all(buckets.map((bucket) => bucket.getMany(ids(0, 200))));
      for (const each of answers) expect(each.map(value)).toEqual(ids(0, 200).map(([id]) => `value of ${id}`));
      const loaded = source.calls.flat().sort();
      expect(loaded).toEqual(
        ids(100, 200)
          .map(([id]) => id)
          .sort(),
      );
      expect(source.calls.length).toBeLessThanOrEqual(4);
    });

    it('what this process has leased is loaded while another process builds the rest', async () => {
      const [mine, foreign] = [new ManySource(), new ManySource()];
      const [here, there] = [bucketOf(fixture.create(), mine), bucketOf(fixture.create(), foreign)];
      foreign.hold();
      const theirs = there.getMany(ids(1, 2));
      await eventually(() => foreign.calls.length === 1);
      const ours = here.getMany(ids(0, 3));
      await eventually(() => mine.calls.length === 1);
      expect(mine.calls[0]).toEqual(['id0', 'id2']);
      foreign.release();
      expect((await ours).map(value)).toEqual([0, 1, 2].map((i) => `value of id${i}`));
      await theirs;
      expect(mine.calls).toHaveLength(1);
      expect(here.metrics).toMatchObject({ misses: 2, coalesced: 1 });
    });

    it('two processes with crossing ids both make progress', async () => {
      const sources = [new ManySource(), new ManySource()] as const;
      const [a, b] = [bucketOf(fixture.create(), sources[0]), bucketOf(fixture.create(), sources[1])];
      for (let round = 0; round < 20; round++) {
        const asked = ids(round * 4, round * 4 + 4);
        const answers = await Promise.all([a.getMany(asked), b.getMany([...asked].reverse())]);
        expect(answers.flat().every(({ status }) => status === 'fulfilled')).toBe(true);
      }
      const loaded = sources.flatMap(({ calls }) => calls.flat());
      expect(loaded.sort()).toEqual(
        ids(0, 80)
          .map(([id]) => id)
          .sort(),
      );
    });
  },
);

describe('many entries while Redis is away', () => {
  let server: RedisServer;
  let cache: CacheService;
  const source = new ManySource();
  beforeEach(async () => {
    server = await startRedisServer();
    cache = createCache({ redisUrl: server.url, appName: 'many', l1: 'off', bypassConcurrency: 1 });
    await cache.open();
    source.calls.length = 0;
    await server.kill('SIGKILL');
    await eventually(() => cache.state().status === 'down');
  });
  afterEach(async () => {
    await cache.close();
    await server.stop();
  });

  it('are fetched with one call, in one place of the bypass', async () => {
    const bucket = bucketOf(cache, source);
    const answers = await bucket.getMany([...ids(0, 150), ['bad']]);
    expect(source.calls.map((call) => call.length)).toEqual([151]);
    expect(answers.slice(0, 150).map(value)).toEqual(ids(0, 150).map(([id]) => `value of ${id}`));
    expect(value(answers[150])).toBe('rejected: Error: bad is bad');
    expect(bucket.metrics).toMatchObject({ bypassed: 150, errors: 1 });
  });

  it('answers two callers that begin with the same id, and have as many', async () => {
    const bucket = bucketOf(cache, source);
    const asked = [ids(0, 2), [['id0'], ['id7']] as Id[], ids(0, 2)];
    const answers = await Promise.all(asked.map((many) => bucket.getMany(many)));
    expect(answers.map((each) => each.map(value))).toEqual(asked.map((many) => many.map(([id]) => `value of ${id}`)));
  });

  it('a fetch that takes too long fails its ids, and its late values change nothing', async () => {
    const bucket = bucketOf(cache, source, { fetchTimeoutMs: 50 });
    source.hold();
    const answers = await bucket.getMany(ids(0, 2));
    expect(answers.map(value)).toEqual(Array(2).fill(expect.stringMatching(/CACHE_FETCH_TIMEOUT|50 ms/)));
    source.release();
    await elapse(10);
    expect(bucket.metrics).toMatchObject({ bypassed: 0, errors: 2 });
  });
});
