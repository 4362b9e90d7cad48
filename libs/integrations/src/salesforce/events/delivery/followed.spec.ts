import { beforeEach, describe, expect, it } from '@jest/globals';
import type { SourceEvent } from '../source-event.js';
import { FollowedTime, ReplayCursor } from './followed.js';

const CATCH_UP_MS = 3_000;

let now: number;
let followed: FollowedTime;
beforeEach(() => {
  now = 1_000;
  followed = new FollowedTime(() => now);
  followed.seen();
});
const behind = (ms: number, oldestWaiting?: number) => {
  now = ms;
  return followed.behindMs(oldestWaiting);
};
const at = (ms: number, what: () => void) => {
  now = ms;
  what();
};
/** Follows until 2,000 ms, and then loses the topic: by a broken connection, or in silence. */
const lostAtTwo = (isSilent = false) => {
  followed.begun();
  at(2_000, () => {
    followed.seen();
    followed.lost(undefined, isSilent);
  });
};

describe('up to when a topic has been followed', () => {
  it('is not known before anything is, and now where everything before was dropped', () => {
    expect(behind(2_000)).toBeUndefined();
    followed.begun();
    expect(behind(5_000)).toBe(0);
  });

  it('is the arrival of the oldest event that waits', () => {
    followed.begun();
    expect(behind(5_000, 4_400)).toBe(600);
    expect(behind(6_000, 4_400)).toBe(1_600);
    expect(behind(6_100)).toBe(0);
  });

  it('stands still from a loss until what was missed has come and there has been quiet', () => {
    lostAtTwo();
    expect(behind(10_000)).toBe(8_000);
    followed.resumed(CATCH_UP_MS);
    expect(behind(12_900)).toBe(10_900);
    expect(behind(13_000)).toBe(0);
  });

  it('is not now because nothing waits for a moment in the middle of what was missed', () => {
    lostAtTwo();
    at(10_000, () => followed.resumed(CATCH_UP_MS));
    for (const ms of [12_000, 14_000, 16_000]) {
      at(ms, () => followed.arrived());
      expect(behind(ms + 10)).toBe(ms + 10 - 2_000);
    }
    expect(behind(18_900)).toBe(16_900);
    expect(behind(19_000)).toBe(0);
  });

  it('needs no quiet when something was applied that can only have come after everything that was missed', () => {
    lostAtTwo();
    at(9_000, () => followed.resumed(CATCH_UP_MS));
    at(9_500, () => followed.caughtUp());
    expect(behind(9_600)).toBe(0);
    expect(behind(9_700, 9_650)).toBe(50);
  });

  it('is not moved by what is applied after another loss', () => {
    lostAtTwo();
    followed.resumed(CATCH_UP_MS);
    followed.lost(undefined, false);
    at(3_000, () => followed.caughtUp());
    expect(behind(60_000)).toBe(58_000);
  });

  it('goes back to the last sign of life, because nobody knows since when nothing would have come', () => {
    followed.begun();
    at(3_000, () => followed.seen());
    expect(behind(300_000)).toBe(0);
    followed.lost(undefined, true);
    expect(behind(303_000)).toBe(300_000);
  });

  it('goes back no further than to when the connection is known to have worked for others', () => {
    followed.begun();
    now = 300_000;
    followed.lost(undefined, false, 299_000);
    expect(behind(300_000)).toBe(1_000);
  });

  it('takes no quiet for a proof after a silence, but something that comes', () => {
    lostAtTwo(true);
    at(4_000, () => followed.resumed(CATCH_UP_MS));
    expect(behind(100_000)).toBe(98_000);
    at(101_000, () => followed.keptAlive());
    expect(behind(101_000)).toBe(0);
  });

  it('keeps to that over further attempts that stay silent', () => {
    lostAtTwo(true);
    for (const ms of [10_000, 20_000, 30_000]) {
      at(ms, () => followed.resumed(CATCH_UP_MS));
      expect(behind(ms + 9_000)).toBe(ms + 7_000);
      followed.lost(undefined, true);
    }
  });

  it('stands still while a gap waits to be dealt with', () => {
    lostAtTwo();
    at(3_000, () => followed.resumed(CATCH_UP_MS)); // and then the position turns out to have expired
    at(3_100, () => followed.waits());
    expect(behind(60_000)).toBe(58_000);
    followed.begun();
    expect(behind(60_001)).toBe(0);
  });

  it('is the arrival of what waited when the topic was lost', () => {
    followed.begun();
    at(8_000, () => followed.seen());
    followed.lost(5_000, false);
    expect(behind(9_000)).toBe(4_000);
  });
});

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
