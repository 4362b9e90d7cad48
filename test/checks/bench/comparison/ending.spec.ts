import { describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { deferred } from '../../../support/deferred.js';
import { endingOf, inWords } from './ending.js';

describe('the ending of a call', () => {
  it('is its value or its error', async () => {
    expect(await endingOf(Promise.resolve('new'), 1_000)).toMatchObject({ kind: 'resolved', value: 'new' });
    const error = new Error('down');
    expect(await endingOf(Promise.reject(error), 1_000)).toMatchObject({ kind: 'rejected', error });
  });

  it('is open when the limit is over, and a late error reaches nobody', async () => {
    const call = deferred();
    expect(await endingOf(call.promise, 5)).toEqual({ kind: 'open', ms: 5 });
    call.reject(new Error('late'));
    await delay(0);
  });

  it.each([
    [{ kind: 'open', ms: 5_000 }, 'nothing for 5 s'],
    [{ kind: 'resolved', value: true, ms: 3 }, '`true` at once'],
    [{ kind: 'rejected', error: 'down', ms: 201 }, 'rejected after 0.3 s'],
    [{ kind: 'resolved', value: 'new', ms: 950 }, '`new` after 1 s'],
    [{ kind: 'resolved', value: 'new', ms: 2_400 }, '`new` after 2 s'],
  ] as const)('%j reads %s', (ending, words) => {
    expect(inWords(ending)).toBe(words);
  });
});
