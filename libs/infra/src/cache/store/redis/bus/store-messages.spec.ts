import { describe, expect, it } from '@jest/globals';
import { parseBusMessage, parseWakeMessage } from './store-messages.js';

describe('messages of the store', () => {
  it('tell how a lease ended', () => {
    expect(parseWakeMessage('k\0lease\0\0\0')).toEqual({ key: 'k', leaseId: 'lease' });
    expect(parseWakeMessage('k\0lease\0F\0E_LIMIT\0too many')).toEqual({
      key: 'k',
      leaseId: 'lease',
      failure: { code: 'E_LIMIT', message: 'too many' },
    });
    expect(parseWakeMessage('rubbish')).toBeUndefined();
  });

  it('tell what was invalidated, when, and after what', () => {
    expect(parseBusMessage('I 7 tip prev - 1\nr:A:1\0n:d')).toEqual({
      clock: 7,
      tip: 'tip',
      born: 1,
      previousTip: 'prev',
      dependencies: ['r:A:1', 'n:d'],
      requester: undefined,
    });
    expect(parseBusMessage('I 7 tip prev - 1\n*')?.dependencies).toBe('*');
    expect(parseBusMessage('I 7 tip prev me 1\n*')?.requester).toBe('me');
    expect(parseBusMessage('B 7 tip')).toBeUndefined();
    expect(parseBusMessage('')).toBeUndefined();
  });
});
