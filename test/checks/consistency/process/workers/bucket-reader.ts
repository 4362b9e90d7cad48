import type { CacheService } from '@bff/infra/cache/cache.service';
import type { FetchContext, Fetcher, ReadOutcome } from '@bff/infra/cache/cache.types';
import { ManyBucket, type ManyContext } from '@bff/infra/cache/many-bucket';
import { changeDriven } from '@bff/infra/cache/strategies';
import { keys, type Key } from '../../source/universe.js';
import type { CachedValue } from '../cached-value.js';
import type { Life } from '../life.js';
import { ObservedRead, type Observation } from '../observed-read.js';
import type { CheckedFetcher } from './fetcher.js';

type Id = [id: string];
type Value = CachedValue | null;

/** Keys with a TTL of their own are read by `getOrSet` alone: the entries of a bucket end alike. */
const LIFE: Life = { ttlMs: 0 };

class CheckedBucket extends ManyBucket<Value, Id> {
  /** `get` of a caller without options. `onOutcome` receives the answer's origin, unless the L1 answers. */
  ask(id: Id, fetcher: Fetcher<Value>, onOutcome: (outcome: ReadOutcome) => void): Promise<Value> {
    return this.hit(id) ?? this.read(id, fetcher, { onOutcome });
  }
}

/** Reads the checker's keys through buckets, one by one and many at once. */
export class BucketReader {
  private readonly buckets = new Map<string, CheckedBucket>();

  constructor(
    private readonly cache: CacheService,
    private readonly fetcher: CheckedFetcher,
    private readonly process: Observation,
  ) {}

  /** Whether the key is read through a bucket at all. */
  has(key: number): boolean {
    return (keys[key] as Key).ttlMs === undefined;
  }

  async get(key: number): Promise<CachedValue | undefined> {
    const { bucket, id } = this.placeOf(key);
    const read = new ObservedRead(key, -1, this.process);
    const fetcher = (context: FetchContext) => this.fetcher.fetch(key, LIFE, context, (at) => (read.fetchedAt = at));
    return read.answered(
      bucket.ask(id, fetcher, (outcome) => (read.outcome = outcome)),
      'WAITED_IN_VAIN',
    );
  }

  /** Reads those of these keys that are in the bucket of the first. Returns the values by key. */
  async getMany(some: readonly number[]): Promise<Map<number, CachedValue | undefined>> {
    const { bucket } = this.placeOf(some[0] as number);
    const asked = [...new Set(some)].filter((key) => this.has(key) && this.placeOf(key).bucket === bucket);
    const reads = asked.map((key) => new ObservedRead(key, -1, this.process));
    const answers = bucket.getMany(asked.map((key) => this.placeOf(key).id));
    const values = reads.map((read, i) => {
      read.outcome = 'coalesced'; // `getMany` does not tell for each id how it was answered; this claims the least
      return read.answered(
        answers.then((all) => valueOf(all[i])),
        'WAITED_IN_VAIN',
      );
    });
    const all = await Promise.all(values);
    return new Map(asked.map((key, i) => [key, all[i]]));
  }

  private placeOf(key: number): { readonly bucket: CheckedBucket; readonly id: Id } {
    const [domain = '', name = '', id = ''] = (keys[key] as Key).text.split(':');
    return { bucket: this.bucketOf(domain, name), id: [id] };
  }

  private bucketOf(domain: string, name: string): CheckedBucket {
    const known = this.buckets.get(`${domain}:${name}`);
    if (known) return known;
    const loadMany = (many: readonly Id[], context: ManyContext) => this.load(many, context);
    const made = new CheckedBucket(this.cache, domain, name, { strategy: changeDriven(), loadMany });
    this.buckets.set(`${domain}:${name}`, made);
    return made;
  }

  /** Each value is built by itself, and may fail by itself, within one call. */
  private load(many: readonly Id[], context: ManyContext): Promise<(Value | Error)[]> {
    const loadOne = async (id: Id): Promise<Value | Error> => {
      const own = { dependsOn: context.of(id).dependsOn, signal: context.signal };
      try {
        return await this.fetcher.fetch(Number(id[0]), LIFE, own, () => undefined);
      } catch (error) {
        return error as Error;
      }
    };
    return Promise.all(many.map(loadOne));
  }
}

function valueOf(answer: PromiseSettledResult<Value> | undefined): Value {
  if (answer?.status === 'fulfilled') return answer.value;
  throw answer?.reason;
}
