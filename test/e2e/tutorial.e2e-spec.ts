import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { elapse, eventually } from '../support/eventually.js';
import { startRedisServer, type RedisServer } from '../support/redis/redis-server.js';
import { cleanEnvironment } from './support/app-process.js';
import { freePort } from '../support/free-port.js';

interface Health {
  readonly processes: number;
  readonly metrics: {
    readonly category: Readonly<Record<'hits' | 'misses' | 'coalesced' | 'bypassed', number>>;
    readonly invalidations: number;
  };
}

/** `shop.mjs` in its own process. */
class Shop {
  output = '';
  reads = 0;
  private url = '';

  private constructor(private readonly child: ChildProcess) {
    child.stdout?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  static async start(folder: string, env: Record<string, string> = {}): Promise<Shop> {
    const port = await freePort();
    const shop = new Shop(spawnNode(folder, 'shop.mjs', { PORT: String(port), ...env }));
    shop.url = `http://127.0.0.1:${port}`;
    await eventually(() => shop.output.includes(`listening on ${shop.url}\n`), { withinMs: 20_000, what: 'a shop' });
    return shop;
  }

  get queries(): number {
    return this.output.split('query: ').length - 1;
  }

  /** The price of the first product of a category, as the steps of the page read it. */
  async price(category = 'tea'): Promise<number> {
    this.reads += 1;
    const [first] = (await this.get(`/products/${category}`)) as [{ price: number }];
    return first.price;
  }

  health(): Promise<Health> {
    return this.get('/health') as Promise<Health>;
  }

  /** How many reads the counters of all shops show together. */
  async callers(): Promise<number> {
    const { hits, misses, coalesced, bypassed } = (await this.health()).metrics.category;
    return hits + misses + coalesced + bypassed;
  }

  async get(path: string): Promise<unknown> {
    return (await fetch(this.url + path)).json();
  }

  async put(id: string, price: number): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${this.url}/prices/${id}`, { method: 'PUT', body: String(price) });
    return { status: response.status, body: await response.json() };
  }

  /** Ends it as Ctrl-C does. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode === null) {
      this.child.kill('SIGINT');
      await once(this.child, 'exit');
    }
    return this.child.exitCode;
  }
}

function spawnNode(folder: string, file: string, env: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [file], {
    cwd: folder,
    env: cleanEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs the programs of docs/tutorial.md. A test in test/tooling compares those on the page with these files. */
describe('the tutorial', () => {
  let folder: string;
  let redis: RedisServer | undefined;
  let shops: Shop[];
  beforeEach(() => {
    const built = join(process.cwd(), 'dist/libs/infra/src/cache/create-cache.js');
    if (!existsSync(built)) throw new Error(`${built} is missing: run "npm run build" first ("npm test" does)`);
    folder = mkdtempSync(join(tmpdir(), 'evergreen-tutorial-'));
    cpSync('test/examples/tutorial', folder, { recursive: true });
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(process.cwd(), join(folder, 'node_modules/evergreen'), 'junction'); // like `npm install ../evergreen`
    shops = [];
  });
  afterEach(async () => {
    await Promise.all(shops.map((shop) => shop.stop()));
    await redis?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('step 4: a read is a hit until the price that it shows changes', async () => {
    const shop = await Shop.start(folder);
    shops.push(shop);
    expect([await shop.price(), await shop.price(), shop.queries]).toEqual([10, 10, 1]);

    const invalidation = { dropped: 1, keys: ['products:category:tea'], deferred: 0 };
    expect(await shop.put('p1', 9)).toEqual({ status: 200, body: invalidation });
    expect([await shop.price(), shop.queries]).toEqual([9, 2]);

    expect(await shop.put('p3', 15)).toEqual({ status: 200, body: { dropped: 0, keys: [], deferred: 0 } });
    expect([await shop.price(), shop.queries]).toEqual([9, 2]);
    expect(await shop.stop()).toBe(0);
  });

  it('step 5: a Map keeps the price of an answer that was overtaken, the cache refuses it', async () => {
    const race = spawnNode(folder, 'race.mjs', {});
    const output = await text(race.stdout as NodeJS.ReadableStream);
    expect(output).toContain('a Map: the price is 11; the early reader got 10, a later one 10\n');
    expect(output).toContain('Evergreen: the price is 12; the early reader got 11, a later one 12\n');
  });

  it('steps 6 to 8: two shops share fetches, invalidations and counters, and outlive their Redis', async () => {
    redis = await startRedisServer();
    shops = await Promise.all([1, 2].map(() => Shop.start(folder, { REDIS_URL: redis?.url ?? '' })));
    const [one, other] = shops as [Shop, Shop];
    const prices = await Promise.all(Array.from({ length: 50 }, (_, i) => (i % 2 ? one : other).price()));
    expect(new Set(prices)).toEqual(new Set([10]));
    const fetches = one.queries + other.queries;

    expect((await one.put('p1', 9)).status).toBe(200);
    expect(await other.price()).toBe(9);

    const early = one.price('coffee');
    await eventually(() => one.output.includes('query: coffee'));
    expect((await other.put('p3', 16)).status).toBe(200);
    expect(await early).toBe(14);
    expect([await other.price('coffee'), await one.price('coffee')]).toEqual([16, 16]);

    await eventually(async () => (await one.callers()) === one.reads + other.reads, { what: 'all counters' });
    const { processes, metrics } = await one.health();
    expect([processes, metrics.invalidations]).toEqual([2, 2]);
    // On a busy machine Redis may answer some of the fifty too late, so that the source does.
    expect(fetches).toBeLessThanOrEqual(1 + metrics.category.bypassed);

    await redis.kill('SIGKILL');
    await elapse(1100); // until no L1 serves any more: without Redis one does so for a second at most
    expect(await one.price()).toBe(9);
    expect(await one.put('p1', 7)).toMatchObject({ status: 503, body: { code: 'CACHE_NOT_ACKNOWLEDGED' } });
    expect(await other.price()).toBe(7);
    await redis.restart();
    await eventually(
      async () => {
        const before = one.queries + other.queries;
        expect([await one.price(), await other.price()]).toEqual([7, 7]);
        return one.queries + other.queries === before;
      },
      { withinMs: 10_000, what: 'hits, with the new price' },
    );
  });
});
