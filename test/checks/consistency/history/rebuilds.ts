import type { ChangeLine, SeenValue } from './history-lines.js';
import { FactPromises } from './promises.js';
import type { JudgedRead } from './violation.js';

/**
 * G6: a read that bounds the age of its value does not return an older one. When a value was built for such a read, no
 * read that begins after its answer, in any process, returns a value whose fetch began earlier. An answer without the
 * store promises nothing about later reads; the writer of the history omits it.
 */
export class Rebuilds {
  private readonly ofKey = new Map<number, FactPromises>();
  private added = 0;

  /** `graceUs`: how long other processes may still return an older value; the process that rebuilt it may never. */
  constructor(private readonly graceUs: number) {}

  /** Number of answers that bind the reads after them. */
  get count(): number {
    return this.added;
  }

  add(by: number, { key, fetchedAt, at }: Extract<ChangeLine, { kind: 'rebuilt' }>): void {
    const promises = this.ofKey.get(key) ?? new FactPromises();
    // It binds like an invalidation: a value that was fetched before `startedAt` must not be seen after `at`.
    promises.add({ at, startedAt: fetchedAt, version: 0, by });
    this.ofKey.set(key, promises);
    this.added++;
  }

  /**
   * A description of the promise that the read breaks; undefined if it breaks none. A value written with `set` has no
   * fetch, so it is not judged.
   */
  judge(read: JudgedRead, value: SeenValue): string | undefined {
    if (value.fetchedAt < 0) return undefined;
    const age = read.beganAt - value.fetchedAt;
    if (read.maxAgeUs >= 0 && age > read.maxAgeUs)
      return `it allowed an age of ${ms(read.maxAgeUs)}, and the fetch had begun ${ms(age)} before it`;
    const promises = this.ofKey.get(read.key);
    if (!promises) return undefined;
    const known = promises.countBefore(read.beganAt);
    const owed = this.graceUs === 0 ? known : promises.countBefore(read.beganAt - this.graceUs);
    let latest = promises.latestOf(owed);
    for (let own = known - 1; own >= owed; own--) {
      const one = promises.get(own);
      if (one?.by === read.by && one.startedAt > (latest?.startedAt ?? -1)) latest = one;
    }
    if (!latest || value.fetchedAt >= latest.startedAt) return undefined;
    return (
      `process ${latest.by} had been given a value that was built anew, ${ms(read.beganAt - latest.at)} before; this one was ` +
      `fetched ${ms(latest.startedAt - value.fetchedAt)} before that, by process ${value.build.split('.')[0]}`
    );
  }
}

function ms(us: number): string {
  return `${(us / 1000).toFixed(3)} ms`;
}
