import { describe, expect, it } from '@jest/globals';
import { factCount, facts } from '../source/universe.js';
import type { Origin, SeenValue } from './history-lines.js';
import { Verifier } from './verifier.js';

const RECORD = facts.record(0, 7);
const OTHER = facts.record(1, 3);
const KEY = 5;
const [READER, BUILDER, WRITER] = [1, 2, 3];
const LEASE_US = 1_020_000;

/** A history written by hand. Instants are microseconds. */
class Told {
  readonly verifier: Verifier;
  constructor(graceUs = 0) {
    this.verifier = new Verifier({ factCount, graceUs });
  }

  /** The fact changed to this version, and was invalidated between the two instants. */
  invalidated(fact: number, version: number, startedAt: number, at: number, by = WRITER): this {
    const about = { change: `${fact}/${version}`, operation: 'record', facts: [fact], versions: [version] };
    this.verifier.change(by, { kind: 'acknowledged', ...about, firstAt: startedAt, startedAt, at });
    return this;
  }

  offered(build: string): this {
    this.verifier.change(BUILDER, { kind: 'offered', build, at: 0 });
    return this;
  }

  replied(build: string, reply: string): this {
    const times = { askedAt: 0, grantedAt: 1, sentAt: 2, repliedAt: 3 };
    this.verifier.change(BUILDER, { kind: 'committed', build, key: KEY, reply, ...times, ttlMs: 0, facts: [RECORD] });
    return this;
  }

  read(
    beganAt: number,
    value: SeenValue | undefined,
    { by = READER, origin = 'store', maxAgeUs = -1 }: { by?: number; origin?: Origin; maxAgeUs?: number } = {},
  ): this {
    this.verifier.read({ by, key: KEY, beganAt, endedAt: beganAt + 10, origin, value, maxAgeUs });
    return this;
  }

  rebuilt(fetchedAt: number, at: number, by = BUILDER): this {
    this.verifier.change(by, { kind: 'rebuilt', key: KEY, fetchedAt, at });
    return this;
  }

  get found(): string[] {
    return this.verifier.violations.map(({ check }) => check);
  }
}

function value(version: number, fetchedAt: number, more: Partial<SeenValue> = {}): SeenValue {
  const content = { facts: [RECORD, OTHER], versions: [version, 0] };
  return { key: KEY, build: `${BUILDER}.1`, fetchedAt, ttlMs: 0, ...content, ...more };
}

describe('G1', () => {
  const told = () => new Told().offered('2.1');

  it('holds for a read that returns what was promised, and for one that began before the promise', () => {
    const good = told().invalidated(RECORD, 1, 100, 200).read(150, value(0, 50)).read(300, value(1, 250));
    expect(good.found).toEqual([]);
    expect(good.verifier.readCount).toBe(2);
  });

  it('is broken by a read after the acknowledgement that returns an older version', () => {
    expect(told().invalidated(RECORD, 1, 100, 200).read(201, value(0, 50)).found).toEqual(['G1']);
  });

  it('is not broken in the very microsecond of the acknowledgement, whose order nobody knows', () => {
    expect(told().invalidated(RECORD, 1, 100, 200).read(200, value(0, 50)).found).toEqual([]);
  });

  it('is broken by a fetch that began before the invalidation, even where it saw the new version', () => {
    expect(told().invalidated(RECORD, 1, 100, 200).read(300, value(1, 99)).found).toEqual(['G1']);
    expect(told().invalidated(RECORD, 1, 100, 200).read(300, value(1, 100)).found).toEqual([]);
  });

  it('counts the fetch from the latest of the invalidations, in whichever order they were acknowledged', () => {
    const crossed = () => told().invalidated(RECORD, 1, 140, 150).invalidated(RECORD, 1, 100, 200);
    expect(crossed().read(300, value(1, 120)).found).toEqual(['G1']);
    expect(crossed().read(300, value(1, 145)).found).toEqual([]);
    const straight = told().invalidated(RECORD, 1, 100, 150).invalidated(RECORD, 1, 140, 200);
    expect(straight.read(300, value(1, 120)).found).toEqual(['G1']);
  });

  it('is not fooled by acknowledgements that come in another order than the changes', () => {
    const both = () => told().invalidated(RECORD, 2, 110, 150).invalidated(RECORD, 1, 100, 200);
    expect(both().read(160, value(1, 120)).found).toEqual(['G1']);
    expect(both().read(300, value(1, 120)).found).toEqual(['G1']);
    expect(both().read(300, value(2, 120)).found).toEqual([]);
  });

  it('knows an acknowledgement that arrives late, because the file of its process was read later', () => {
    const late = () => told().invalidated(RECORD, 2, 300, 400).invalidated(RECORD, 1, 100, 200);
    expect(late().read(250, value(0, 50)).found).toEqual(['G1']);
    expect(late().read(250, value(1, 120)).found).toEqual([]);
    expect(late().read(450, value(1, 120)).found).toEqual(['G1']);
  });

  it('says nothing of facts that the value was not built from', () => {
    const elsewhere = told().invalidated(facts.record(2, 9), 4, 100, 200).read(300, value(0, 50));
    expect(elsewhere.found).toEqual([]);
  });

  it('judges what was written with set by its versions alone', () => {
    const set = (version: number) => value(version, -1, { build: `${WRITER}.9` });
    expect(told().invalidated(RECORD, 1, 100, 200).read(300, set(1)).found).toEqual([]);
    expect(told().invalidated(RECORD, 1, 100, 200).read(300, set(0)).found).toEqual(['G1']);
  });

  it('counts reads whose value had something invalidated within the second before', () => {
    const { verifier } = told()
      .invalidated(RECORD, 1, 100, 200)
      .read(1000, value(1, 300))
      .read(2_000_000, value(1, 300));
    expect(verifier.exposed).toBe(1);
  });
});

describe('G2', () => {
  it('lets a value whose commit was refused reach only reads that began before its fetch', () => {
    const refused = () => new Told().offered('2.1').replied('2.1', 'stale');
    expect(refused().read(40, value(0, 50), { origin: 'shared' }).found).toEqual([]);
    expect(refused().read(60, value(0, 50), { origin: 'shared' }).found).toEqual(['G2']);
  });

  it('is broken by a value that was never offered to the store and reaches a later read', () => {
    expect(new Told().read(60, value(0, 50), { origin: 'bypass' }).found).toEqual(['G2']);
  });

  it.each(['ok', 'expired', 'unknown'])('a commit answered %s may reach anybody', (reply) => {
    expect(new Told().offered('2.1').replied('2.1', reply).read(60, value(0, 50)).found).toEqual([]);
  });

  it('an offer whose answer was never heard may have been accepted', () => {
    expect(new Told().offered('2.1').read(60, value(0, 50)).found).toEqual([]);
  });
});

describe('G3, bounded L1s', () => {
  const told = () => new Told(LEASE_US).offered('2.1').invalidated(RECORD, 1, 100, 200);

  it('lets another process read the old value for one lease after the acknowledgement, and no longer', () => {
    expect(told().read(200 + LEASE_US, value(0, 50), { origin: 'l1' }).found).toEqual([]);
    expect(told().read(201 + LEASE_US, value(0, 50), { origin: 'l1' }).found).toEqual(['G3']);
  });

  it('never lets the process that invalidated read the old value', () => {
    expect(told().read(201, value(0, 50), { by: WRITER, origin: 'l1' }).found).toEqual(['G3']);
    expect(told().read(201, value(1, 150), { by: WRITER, origin: 'l1' }).found).toEqual([]);
  });
});

describe('G6, builds under a bound to the age', () => {
  const told = (graceUs = 0) => new Told(graceUs).offered('2.1').rebuilt(100, 200);

  it('[D1] is broken by a later read, in any process, of a value whose fetch had begun before', () => {
    expect(told().read(201, value(0, 99)).found).toEqual(['G6']);
    expect(told().read(201, value(0, 99), { origin: 'l1' }).found).toEqual(['G6']);
    expect(told().read(201, value(0, 100)).found).toEqual([]);
  });

  it('says nothing of reads that began before the answer, and of what was written with set', () => {
    expect(told().read(200, value(0, 50)).found).toEqual([]);
    expect(told().read(300, value(0, -1)).found).toEqual([]);
  });

  it('is broken by a read that is given an older value than it allows', () => {
    const bounded = (beganAt: number) => new Told().offered('2.1').read(beganAt, value(0, 100), { maxAgeUs: 40 });
    expect(bounded(140).found).toEqual([]);
    expect(bounded(141).found).toEqual(['G6']);
  });

  it('lets other processes be older for a lease in bounded mode, but not the one that was answered', () => {
    expect(told(LEASE_US).read(201, value(0, 50)).found).toEqual([]);
    expect(told(LEASE_US).read(201 + LEASE_US, value(0, 50)).found).toEqual(['G6']);
    expect(told(LEASE_US).read(201, value(0, 50), { by: BUILDER }).found).toEqual(['G6']);
  });
});

describe('the other checks', () => {
  it('finds the value of another key', () => {
    expect(new Told().offered('2.1').read(60, value(0, 50, { key: KEY + 1 })).found).toEqual(['key']);
  });

  it('finds an entry that was kept beyond its TTL, but not a build that outlasted it', () => {
    const old = value(0, 50, { ttlMs: 100 });
    expect(new Told().offered('2.1').read(200_000, old).found).toEqual([]);
    expect(new Told().offered('2.1').read(300_000, old, { origin: 'l1' }).found).toEqual(['ttl']);
    expect(new Told().offered('2.1').read(300_000, old, { origin: 'shared' }).found).toEqual([]);
  });

  it('counts what a read may be refused with, and finds what it may not', () => {
    const told = new Told();
    const read = { by: READER, key: KEY, beganAt: 1, endedAt: 2 };
    told.verifier.failed(read, 'SOURCE_FAILED');
    expect(told.found).toEqual([]);
    told.verifier.failed(read, 'TypeError:_x_is_not_a_function');
    expect(told.found).toEqual(['answer']);
  });
});
