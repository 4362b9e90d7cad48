import { describe, expect, it } from '@jest/globals';
import { planPhases } from './phases.js';

const total = (phases: readonly { readonly seconds: number }[]) =>
  phases.reduce((sum, { seconds }) => sum + seconds, 0);

describe('the phases of a run', () => {
  it('are faults without a reconciler and losses with one, by turns', () => {
    const phases = planPhases(20, 3);
    expect(phases.map(({ kind, reconcileSeconds }) => [kind, reconcileSeconds])).toEqual([
      ['faults', 0],
      ['losses', 3],
    ]);
  });

  it.each([7, 20, 300, 3_600])('take %i seconds together, none of them long', (seconds) => {
    const phases = planPhases(seconds, 10);
    expect(total(phases)).toBeCloseTo(seconds);
    expect(Math.max(...phases.map((phase) => phase.seconds))).toBeLessThanOrEqual(60);
  });

  it('have no losses without a reconciler', () => {
    expect(new Set(planPhases(300, 0).map(({ kind }) => kind))).toEqual(new Set(['faults']));
  });
});
