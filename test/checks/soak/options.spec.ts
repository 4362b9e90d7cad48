import { describe, expect, it } from '@jest/globals';
import { readOptions, replayCommand } from './options.js';

describe('the options of a soak', () => {
  it('are two transports, two BFFs, two workers and ten minutes unless told otherwise', () => {
    const { seconds, transports, bffs, workers, losses } = readOptions([]);
    expect([seconds, transports, bffs, workers, losses]).toEqual([600, ['pubsub', 'cometd'], 2, 2, true]);
  });

  it('are repeated by what a run prints', () => {
    const args = ['--seconds', '20', '--transport', 'cometd', '--seed=9', '--faults=gap,burst', '--workers=3'];
    const options = readOptions(args);
    expect(readOptions(replayCommand(options).split(' ').slice(4))).toEqual(options);
  });

  it.each([['--seconds=0'], ['--transport=soap'], ['--faults=earthquake'], ['--kills=x'], ['--unknown']])(
    'refuse %s',
    (arg) => {
      expect(() => readOptions([arg])).toThrow();
    },
  );
});
