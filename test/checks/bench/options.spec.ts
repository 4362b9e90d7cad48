import { describe, expect, it } from '@jest/globals';
import { readOptions, scenarioNames } from './options.js';

describe('the options of the benchmark', () => {
  it('measures everything by default, peers too, and writes nothing', () => {
    expect(readOptions([])).toEqual({
      isQuick: false,
      withPeers: true,
      write: false,
      only: scenarioNames,
      help: false,
    });
  });

  it('measures what is named', () => {
    expect(readOptions(['--quick', '--no-peers', '--only=l2-hit,memory'])).toMatchObject({
      isQuick: true,
      withPeers: false,
      only: ['l2-hit', 'memory'],
    });
  });

  it('refuses a measurement and an option that there is not', () => {
    expect(() => readOptions(['--only=l3-hit'])).toThrow(/--only takes one of hits, .*, not l3-hit/);
    expect(() => readOptions(['--quik'])).toThrow(/quik/);
  });
});
