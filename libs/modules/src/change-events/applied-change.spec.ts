import { entry, record } from '@bff/infra/cache/dependencies';
import { describe, expect, it } from '@jest/globals';
import { changeEvent } from '../../../../test/support/change-event.js';
import { appliedChange, sourceOf } from './applied-change.js';

const change = changeEvent({
  replayId: '7',
  changedFields: ['Status'],
  commitTimestamp: 1_700_000_000_000,
  transactionKey: 'tx',
});

describe('the source of an event', () => {
  it('is the same for the same event and differs for every other, in a replay id that is shared too', () => {
    expect(sourceOf({ ...change })).toBe(sourceOf(change));
    const others = [
      { ...change, replayId: '8' },
      { ...change, sequenceNumber: 2 },
      { ...change, transactionKey: 'ty' },
      { ...change, commitTimestamp: 1 }, // an org whose replay ids start over
      { ...change, topic: '/data/ChangeEvents' },
    ];
    expect(new Set([change, ...others].map(sourceOf)).size).toBe(6);
  });

  it('of a platform event is its own id where it carries one', () => {
    const platform = { kind: 'platform', topic: '/event/A__e', replayId: '7' } as const;
    const [one, two] = ['u1', 'u2'].map((EventUuid) => sourceOf({ ...platform, fields: { EventUuid } }));
    expect(one).not.toBe(two);
    expect(sourceOf({ ...platform, fields: {} })).toBeDefined();
  });

  it('is not known of a gap, and of an event without a position', () => {
    expect(sourceOf(undefined)).toBeUndefined();
    expect(sourceOf({ kind: 'undecodable', topic: '/data/A', replayId: undefined, reason: 'x' })).toBeUndefined();
  });
});

describe('an applied change', () => {
  it('names what fell and what the event named, each once', () => {
    const dependencies = [record('Order', '1'), entry('orders:account:a')];
    const { keys, isWide } = appliedChange(
      change,
      dependencies,
      { dropped: 2, keys: ['orders:account:a', 'orders:detail:1'], deferred: 0 },
      false,
    );
    expect([keys, isWide]).toEqual([['orders:account:a', 'orders:detail:1'], false]);
  });

  it.each([
    ['more fell than is named', { dropped: 2_000, keys: ['a'], deferred: 0 }, false],
    ['the rest falls later', { dropped: 0, keys: [], deferred: 1 }, false],
    ['an earlier attempt may have dropped some', { dropped: 0, keys: [], deferred: 0 }, true],
  ])('is wide when %s', (_, invalidation, isRetried) => {
    expect(appliedChange(change, [], invalidation, isRetried).isWide).toBe(true);
  });
});
