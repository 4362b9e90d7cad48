import { describe, expect, it } from '@jest/globals';
import { LeaseWatches, pollMs } from './lease-watch.js';

describe('LeaseWatches', () => {
  it('keeps a message that came before it was waited for', async () => {
    const watches = new LeaseWatches();
    const watch = watches.watch('k');
    watches.receive({ key: 'k', leaseId: 'a', failure: { code: undefined, message: 'no' } });
    expect(await watch.wait('a', 10_000)).toMatchObject({ failure: { message: 'no' } });
  });

  it('wakes those who wait for this lease of this key, and nobody else', async () => {
    const watches = new LeaseWatches();
    const [one, other, elsewhere] = [watches.watch('k'), watches.watch('k'), watches.watch('k2')];
    const waits = [one.wait('a', 10_000), other.wait('b', 20), elsewhere.wait('a', 20)];
    watches.receive({ key: 'k', leaseId: 'a' });
    expect(await Promise.all(waits)).toEqual([{ key: 'k', leaseId: 'a' }, undefined, undefined]);
  });

  it('forgets a key when nobody watches it any more', () => {
    const watches = new LeaseWatches();
    const watch = watches.watch('k');
    watch.close();
    watches.receive({ key: 'k', leaseId: 'a' });
    expect(watches).toEqual(new LeaseWatches());
  });

  it('lets everybody look for itself when no word can come any more', async () => {
    const watches = new LeaseWatches();
    const waits = [watches.watch('k').wait('a', 10_000), watches.watch('k2').wait('b', 10_000)];
    watches.wakeAll();
    expect(await Promise.all(waits)).toEqual([undefined, undefined]);
  });

  it('polls ever more slowly, and never much longer than the lease lasts', () => {
    for (let i = 0; i < 50; i++) {
      expect(pollMs(0, 10_000)).toBeGreaterThanOrEqual(37);
      expect(pollMs(0, 10_000)).toBeLessThanOrEqual(63);
      expect(pollMs(60, 10_000)).toBeLessThanOrEqual(625);
      expect(pollMs(60, 10)).toBeLessThanOrEqual(11);
    }
  });
});
