/** A part of a run, after which everything is healed and compared. */
export interface Phase {
  /**
   * `faults`: all faults except losses, without the reconciler: at-least-once delivery must suffice. `losses`: lost
   * events, which the reconciler has to find.
   */
  readonly kind: 'faults' | 'losses';
  readonly seconds: number;
  /** 0: off. */
  readonly reconcileSeconds: number;
  /** How long after the end of all faults a page may still be behind. */
  readonly settleMs: number;
}

const FAULTS_MAX_SECONDS = 60;
const LOSSES_MAX_SECONDS = 30;
const LOSSES_SHARE = 0.3;
const SETTLE_MS = 10_000;

/**
 * Faults and losses in turn, faults first; together `seconds`. Without a reconciler (0) no event is lost on purpose.
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
