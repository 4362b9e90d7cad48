import { beforeEach, describe, expect, it } from '@jest/globals';
import { FollowedTime } from './followed-time.js';

let now: number;
let followed: FollowedTime;
beforeEach(() => {
  now = 1_000;
  followed = new FollowedTime(() => now);
});
const at = (ms: number, oldestWaiting?: number) => {
  now = ms;
  return followed.behindMs(oldestWaiting);
};

describe('up to when a topic has been followed', () => {
  it('is not known before anything is, and now where everything before was dropped', () => {
    expect(at(2_000)).toBeUndefined();
    followed.begun();
    expect(at(5_000)).toBe(0);
  });

  it('is the arrival of the oldest event that waits', () => {
    followed.begun();
    expect(at(5_000, 4_400)).toBe(600);
    expect(at(6_000, 4_400)).toBe(1_600);
    expect(at(6_100)).toBe(0);
  });

  it('stands still from a loss until what was missed has come and there has been quiet', () => {
    followed.begun();
    expect(at(2_000)).toBe(0);
    followed.lost(undefined, false);
    expect(at(10_000)).toBe(8_000);
    followed.resumed(3_000);
    expect(at(11_000)).toBe(9_000);
    expect(at(13_500, 10_500)).toBe(11_500); // what waits came after the resumption, and belongs to what was missed
    expect(at(13_600)).toBe(0);
  });

  it('needs no quiet when a keep-alive says that nothing else had happened, but what waits has to be applied', () => {
    followed.begun();
    at(2_000);
    followed.lost(undefined, false);
    now = 9_000;
    followed.resumed(3_000);
    followed.hasAll();
    expect(at(9_500, 9_100)).toBe(7_500);
    expect(at(9_600)).toBe(0);
  });

  it('goes back to the last sign of life when a silence turns out to have been a loss', () => {
    followed.begun();
    now = 3_000;
    followed.seen();
    expect(at(300_000)).toBe(0);
    followed.lost(undefined, true);
    expect(at(303_000)).toBe(300_000);
  });

  it('is the arrival of what waited when the topic was lost, until that is applied with the rest', () => {
    followed.begun();
    now = 8_000;
    followed.lost(5_000, false);
    expect(at(9_000)).toBe(4_000);
  });

  it('is noted when something was applied, so that a busy topic counts as caught up between two events', () => {
    followed.resumed(3_000);
    now = 5_000;
    followed.note(undefined);
    expect(at(5_100, 5_050)).toBe(50);
  });
});
