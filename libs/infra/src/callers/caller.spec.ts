import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { currentCaller, runForCaller, type Caller } from './caller.js';

const alice: Caller = { subject: 'a', account: '1' };
const bob: Caller = { subject: 'b', account: undefined };

describe('the current caller', () => {
  it('is nobody for work that no caller caused', () => {
    expect(currentCaller()).toBeUndefined();
  });

  it('stays that of each work when several run at the same time', async () => {
    const seen = async () => {
      await nextTurn();
      return currentCaller();
    };
    const both = [runForCaller(alice, seen), runForCaller(bob, seen)];
    expect(currentCaller()).toBeUndefined();
    expect(await Promise.all(both)).toEqual([alice, bob]);
  });

  it('can be set aside for work of the process itself', () => {
    expect(runForCaller(alice, () => runForCaller(undefined, currentCaller))).toBeUndefined();
  });
});
