import { afterEach, describe, expect, it } from '@jest/globals';
import type { ProcessReports } from '@bff/infra/fleet/process-reports';
import { eventuallySeen } from './store-under-test.js';

type Join = (processId: string) => Promise<ProcessReports>;

/** The contract of every implementation of the `ProcessReports` port, as far as it concerns one process alone. */
export function describeProcessReports(name: string, join: Join): void {
  describe(`ProcessReports: ${name}`, () => {
    const { joined, closeAll } = tracked(join);
    afterEach(closeAll);

    it('show nothing under a topic that nobody publishes', async () => {
      expect(await (await joined('one')).read('orders')).toEqual([]);
    });

    it('[P23] show the own report as it is at the instant of the reading', async () => {
      const reports = await joined('one');
      const metrics = { hits: 1 };
      reports.publish('orders', () => ({ ...metrics }));
      metrics.hits = 2;
      const before = Date.now();
      const [own, ...others] = await reports.read('orders');
      expect(others).toEqual([]);
      expect(own).toMatchObject({ processId: 'one', content: { hits: 2 } });
      expect(own?.at).toBeGreaterThanOrEqual(before);
    });

    it('replace what was published under a topic, and keep topics apart', async () => {
      const reports = await joined('one');
      reports.publish('orders', () => 'first');
      reports.publish('orders', () => 'second');
      reports.publish('catalog', () => 'another');
      expect((await reports.read('orders')).map((r) => r.content)).toEqual(['second']);
      expect((await reports.read('catalog')).map((r) => r.content)).toEqual(['another']);
    });

    it('[N9] show counters as they are at the instant of the reading', async () => {
      const reports = await joined('one');
      const counted = { hits: 1 };
      reports.publishCounters('domain:orders', () => ({ ...counted }));
      counted.hits = 2;
      expect(await reports.readCounters('domain:orders')).toMatchObject({
        live: [{ content: { hits: 2 } }],
        ended: [],
      });
      expect(await reports.readCounters('elsewhere')).toEqual({ live: [], ended: [] });
    });
  });
}

/** The further contract of an implementation that several processes share. */
export function describeSharedProcessReports(name: string, join: Join): void {
  describe(`ProcessReports of several processes: ${name}`, () => {
    const { joined, closeAll } = tracked(join);
    afterEach(closeAll);

    it('[P23] show the newest report of each, each process once', async () => {
      const [one, two] = [await joined('one'), await joined('two')];
      const counted = { one: 1, two: 10 };
      one.publish('orders', () => ({ hits: counted.one }));
      two.publish('orders', () => ({ hits: counted.two }));
      const hits = async () => {
        const all = await one.read('orders');
        return Object.fromEntries(all.map((r) => [r.processId, (r.content as { hits: number }).hits]));
      };
      await eventuallySeen(hits, (seen) => seen.one === 1 && seen.two === 10);
      counted.two = 11;
      expect(await eventuallySeen(hits, (seen) => seen.two === 11)).toEqual({ one: 1, two: 11 });
      expect(await one.read('orders')).toHaveLength(2);
    });

    it('[N9] keep what a process has counted when it ends, and never show less than before in any process', async () => {
      const [one, two] = [await joined('one'), await joined('two')];
      const counted = { one: 233, two: 40 };
      one.publishCounters('orders', () => ({ buckets: { list: { hits: counted.one } } }));
      two.publishCounters('orders', () => ({ buckets: { list: { hits: counted.two } } }));
      counted.two = 49; // nobody has published that yet
      expect(await sumOfHits(two)).toBe(282);
      expect(await sumOfHits(one)).toBe(282);
      counted.two = 50;
      await two.close();
      expect(await sumOfHits(one)).toBe(283);
      expect((await one.readCounters('orders')).live).toHaveLength(1);
      const again = await joined('two again');
      again.publishCounters('orders', () => ({ buckets: { list: { hits: 1 } } }));
      expect(await sumOfHits(again)).toBe(284);
    });

    it('[N9] add up the counters of processes that have ended, exactly, when there are many', async () => {
      const one = await joined('one');
      one.publishCounters('many', () => ({ buckets: { list: { hits: 1 } } }));
      for (let n = 0; n < 40; n++) {
        const other = await joined(`other-${n}`);
        other.publishCounters('many', () => ({ buckets: { [`bucket-${n % 3}`]: { hits: n } } }));
        await other.close();
      }
      const { live, ended } = await one.readCounters('many');
      expect(live).toHaveLength(1);
      expect(ended.length).toBeLessThan(40);
      expect(await sumOfHits(one, 'many')).toBe(1 + (39 * 40) / 2);
    });

    it('take a process that left off the board', async () => {
      const [one, two] = [await joined('one'), await joined('two')];
      two.publish('orders', () => 'here');
      await eventuallySeen(
        () => one.read('orders'),
        (all) => all.length === 1,
      );
      await two.close();
      await eventuallySeen(
        () => one.read('orders'),
        (all) => all.length === 0,
      );
    });
  });
}

/** The hits in all buckets, of live processes and of those that have ended. */
async function sumOfHits(reports: ProcessReports, topic = 'orders'): Promise<number> {
  const { live, ended } = await reports.readCounters(topic);
  const buckets = [...live, ...ended].map(
    ({ content }) => (content as { buckets: Record<string, { hits: number }> }).buckets,
  );
  return buckets.flatMap((each) => Object.values(each)).reduce((sum, { hits }) => sum + hits, 0);
}

function tracked(join: Join) {
  const open: ProcessReports[] = [];
  return {
    joined: async (processId: string) => {
      const reports = await join(processId);
      open.push(reports);
      return reports;
    },
    closeAll: async () => {
      await Promise.all(open.splice(0).map((reports) => reports.close()));
    },
  };
}
