import { describe, expect, it } from '@jest/globals';
import { keySlot } from './key-slot.js';

describe('keySlot', () => {
  // Expected slots: answers of CLUSTER KEYSLOT of Redis 7.0.15.
  it.each([
    ['123456789', 12739],
    ['foo', 12182],
    ['{foo}bar', 12182],
    ['{}foo', 9500],
    ['a{}{b}', 15033],
    ['{evergreen.P4:0}:g', 9645],
  ])('%s', (key, slot) => expect(keySlot(key)).toBe(slot));
});
