import { beforeEach, describe, expect, it } from '@jest/globals';
import { OrgClock } from '../org/clock.js';
import { Org } from '../org/org.js';
import { EventLog } from './event-log.js';
import { eventSchema } from './event-schema.js';

describe('the event log', () => {
  const schema = eventSchema(new Org().existingObject('Account_Eligibility_Update__e'));
  let clock: OrgClock;
  let log: EventLog;
  beforeEach(() => {
    clock = new OrgClock();
    log = new EventLog(clock, 50);
  });
  const publish = (): number =>
    log.publish({ channel: '/event/x', schema, content: { kind: 'platform', id: '', fields: {} }, copies: 1 }).replayId;

  it('keeps the newest events up to its bound; what fell out cannot be resumed after', () => {
    const ids = Array.from({ length: 175 }, publish);
    expect(log.after(-1, 1_000).map(({ replayId }) => replayId)).toEqual(ids.slice(-50));
    expect(log.has(ids[124] as number)).toBe(false);
    expect(log.has(ids[125] as number)).toBe(true);
  });

  it('gives positions without an event, from which a subscriber misses nothing and gets nothing twice', () => {
    const before = publish();
    const mark = log.mark();
    expect(mark).toBeGreaterThan(before);
    expect(log.mark()).toBe(mark);
    const after = publish();
    expect(log.has(mark)).toBe(true);
    expect(log.after(mark, 10).map(({ replayId }) => replayId)).toEqual([after]);
    expect(log.mark()).toBeGreaterThan(after);
  });

  it('moves on while nothing happens, so that the position of a quiet stream does not expire', () => {
    const first = log.mark();
    for (let hours = 0; hours < 100; hours += 2) {
      clock.advance(2 * 3_600_000);
      expect(log.has(log.mark())).toBe(true);
    }
    expect(log.has(first)).toBe(false);
  });

  it('forgets everything at a reset, and goes on with ids that have nothing to do with the old ones', () => {
    const old = [publish(), log.mark(), publish()];
    log.reset();
    expect(old.some((id) => log.has(id))).toBe(false);
    const anew = publish();
    expect(anew).toBeLessThan(old[0] as number);
    expect(log.after(-1, 10).map(({ replayId }) => replayId)).toEqual([anew]);
  });

  it('tells its listeners of each event until they leave', () => {
    const heard: number[] = [];
    const leave = log.onPublished(({ replayId }) => heard.push(replayId));
    const id = publish();
    leave();
    publish();
    expect(heard).toEqual([id]);
  });
});
