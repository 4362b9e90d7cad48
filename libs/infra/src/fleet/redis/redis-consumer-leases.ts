import { ConsumerLeases, type ConsumerHolder, type ConsumerTerm } from '../consumer-leases.js';
import { ConsumerScripts, nameOfTerm } from './consumer-scripts.js';
import type { RedisClient } from '../../redis/redis-client.js';

/** Terms and feeds, in the same slot as the checkpoints, so that one step checks the term and saves the position. */
export class RedisConsumerLeases extends ConsumerLeases {
  private readonly scripts: ConsumerScripts;

  constructor(redis: RedisClient, appName: string) {
    super();
    this.scripts = new ConsumerScripts(redis, appName);
  }

  async acquire(consumer: string, holder: string, leaseMs: number): Promise<ConsumerTerm | undefined> {
    const fence = Number(await this.scripts.run('acquire', [consumer, holder, leaseMs]));
    return fence === 0 ? undefined : { consumer, holder, fence };
  }

  async renew(term: ConsumerTerm, leaseMs: number, feedAges: ReadonlyMap<string, number>): Promise<boolean> {
    const ages = [...feedAges].flatMap(([feed, ageMs]) => [feed, Math.ceil(ageMs)]);
    return Number(await this.scripts.run('renew', [term.consumer, nameOfTerm(term), leaseMs, ...ages])) === 1;
  }

  async release(term: ConsumerTerm): Promise<void> {
    await this.scripts.run('release', [term.consumer, nameOfTerm(term)]);
  }

  async holder(consumer: string): Promise<ConsumerHolder | undefined> {
    const { connection, base } = this.scripts;
    const lease = `${base}:lease:${consumer}`;
    const [name, expiresInMs] = await Promise.all([
      connection.run((redis) => redis.get(lease)),
      connection.run((redis) => redis.pttl(lease)),
    ]);
    if (name === null || expiresInMs < 0) return undefined;
    return { holder: name.slice(name.indexOf(' ') + 1), expiresInMs };
  }

  async feedAges(): Promise<ReadonlyMap<string, number>> {
    const found = (await this.scripts.run('ages', [])) as string[];
    const ages = new Map<string, number>();
    for (let i = 0; i < found.length; i += 2) ages.set(found[i] as string, Number(found[i + 1]));
    return ages;
  }
}
