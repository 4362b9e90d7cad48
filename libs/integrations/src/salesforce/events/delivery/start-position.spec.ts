import { describe, expect, it } from '@jest/globals';
import { askForPosition } from './start-position.js';

const never = (): Promise<never> => new Promise(() => undefined);

describe('asking for the position', () => {
  const { signal } = new AbortController();

  it('brings the answer, or why there is none', async () => {
    expect(await askForPosition(async (topic) => ({ after: topic }), 'T', signal)).toEqual({
      start: { after: 'T' },
      gap: undefined,
    });
    expect(await askForPosition(async () => 'latest', 'T', signal)).toEqual({ start: 'latest', gap: 'no-position' });
    const refuse = (): never => {
      throw new Error('the store is away');
    };
    expect(await askForPosition(refuse, 'T', signal)).toEqual({
      trouble: 'its position could not be read: the store is away',
    });
  });

  it('ends although nobody answers: at its bound, and at once when it is stopped', async () => {
    expect(await askForPosition(never, 'T', signal, 5)).toEqual({
      trouble: 'its position could not be read: no answer within 5 ms',
    });
    const stopping = new AbortController();
    const asked = askForPosition(never, 'T', stopping.signal);
    stopping.abort();
    expect(await asked).toMatchObject({ trouble: expect.any(String) });
  });
});
