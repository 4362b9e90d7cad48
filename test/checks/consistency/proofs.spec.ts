import { describe, expect, it } from '@jest/globals';
import { readOptions } from './options.js';
import { proofRuns } from './proofs.js';

describe('the runs that prove that a mechanism is missed', () => {
  const runs = (...args: string[]) => proofRuns(readOptions(['--prove', ...args]));

  it('[A1] are made for every mechanism that protects a moving slot, each with the fault that it is for', () => {
    const proven = new Map(runs('--topology=cluster').map(({ without, faults }) => [without, faults]));
    expect(proven.get('slot-check')).toEqual(['slot-move-given-up']);
    expect(proven.get('gate-spoiling')).toEqual(['slot-move-given-up']);
    expect(proven.get('server-check')).toEqual(['slot-handed-over']);
    expect(proven.get('move-checks')).toEqual(['slot-moved']);
  });

  it('[T5] are made for the word of the Sentinels, with a split', () => {
    const [, run] = runs('--topology=sentinel');
    expect(run).toMatchObject({ without: 'vouch', faults: ['split'] });
  });

  it('are made as usual for one that is named', () => {
    const [run, ...others] = runs('--topology=cluster', '--without=slot-check');
    expect(others).toEqual([]);
    expect(run).toMatchObject({ faults: ['slot-move-given-up'], partitions: 1, readers: 2, untilViolation: true });
    expect(runs('--without=lease-check')).toHaveLength(1);
  });

  it('are made of what the command line chooses', () => {
    const [run] = runs('--topology=cluster', '--without=slot-check', '--faults=slot-moved', '--readers=3');
    expect(run).toMatchObject({ faults: ['slot-moved'], readers: 3, partitions: 1 });
  });
});
