/** A part of a run, after which everything is healed and compared. */
export interface Phase {
  /**
   * `faults`: all faults but losses, without the reconciler, because at-least-once delivery must suffice. `losses`:
   * lost events, which the reconciler has to find.
   */
  readonly kind: 'faults' | 'losses';
  readonly seconds: number;
  /** The reconciler's period; 0: it is off. */
  readonly reconcileSeconds: number;
  /**
   * How long after the first comparison at the end of the phase a page may still differ. It is used for `faults` only;
   * after `losses` the period of the reconciler decides.
   */
  readonly settleMs: number;
}

const FAULTS_MAX_SECONDS = 60;
const LOSSES_MAX_SECONDS = 30;
const LOSSES_SHARE = 0.3;
const SETTLE_MS = 10_000;

/**
 * Phases of faults and losses in turn, faults first, which take `seconds` together. Without a reconciler (0) no event
 * is lost on purpose.
 */
export function planPhases(seconds: number, reconcileSeconds: number): Phase[] {
  const share = reconcileSeconds > 0 ? LOSSES_SHARE : 0;
  const rounds = Math.max(
    1,
    Math.ceil((seconds * (1 - share)) / FAULTS_MAX_SECONDS),
    Math.ceil((seconds * share) / LOSSES_MAX_SECONDS),
  );
  const faults = { kind: 'faults', seconds: (seconds * (1 - share)) / rounds, reconcileSeconds: 0 } as const;
  const losses = { kind: 'losses', seconds: (seconds * share) / rounds, reconcileSeconds } as const;
  const round: Phase[] = [{ ...faults, settleMs: SETTLE_MS }];
  if (share > 0) round.push({ ...losses, settleMs: SETTLE_MS });
  return Array.from({ length: rounds }, () => round).flat();
}
