import { describe, expect, it } from '@jest/globals';
import { ReplayCursor } from './replay-cursor.js';
import type { SourceEvent } from '../source-event.js';

const events = (...ids: (string | undefined)[]): SourceEvent[] =>
  ids.map((replayId) => ({ kind: 'undecodable', topic: '/data/ChangeEvents', replayId, reason: '' }));

describe('the position that may be committed', () => {
  it('is the newest id where no two events share one', () => {
    const cursor = new ReplayCursor(false);
    expect(cursor.after(events('a', 'b'))).toBe('b');
    expect(cursor.after(events(undefined))).toBeUndefined();
    expect(cursor.after(events('c', undefined))).toBe('c');
  });

  it('is the newest id that is complete where events share them, across batches', () => {
    const cursor = new ReplayCursor(true);
    expect(cursor.after(events('a', 'a'))).toBeUndefined();
    expect(cursor.after(events('a'))).toBeUndefined();
    expect(cursor.after(events('b', 'b', 'c', 'c'))).toBe('b');
    expect(cursor.after(events('d'))).toBe('c');
  });

  it('is that of a keep-alive, and does not fall behind it', () => {
    const cursor = new ReplayCursor(true);
    cursor.after(events('a'));
    cursor.keptAlive('k');
    expect(cursor.after(events('b'))).toBe('k');
    expect(cursor.after(events('c'))).toBe('b');
  });

  it('is reported again when a new subscription brings an event again', () => {
    const cursor = new ReplayCursor(false);
    expect(cursor.after(events('a'))).toBe('a');
    cursor.restart();
    expect(cursor.after(events('a'))).toBe('a');
  });
});
