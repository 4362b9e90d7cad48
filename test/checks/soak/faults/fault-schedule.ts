import { Choice } from '../../choice.js';

/**
 * Faults of the stream, of Salesforce, of processes and of Redis. The stream must not lose anything for good under any
 * of them.
 */
export const faultKinds = [
  'stream-cut',
  'stream-ended',
  'stream-silent',
  'stream-refused',
  'events-over-limit',
  'token-expired',
  'replay-expired',
  'log-reset',
  'events-delayed',
  'events-repeated',
  'events-unreadable',
  'gap',
  'overflow',
  'wildcard',
  'rest-unavailable',
  'rest-over-limit',
  'rest-slow',
  'burst',
  'worker-killed',
  'worker-stopped',
  'worker-terminated',
  'bff-killed',
  'redis-restarted-empty',
  'redis-restarted-with-data',
  'redis-restarted-older',
  'redis-stopped',
] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** Milliseconds after the beginning of the phase. */
  readonly at: number;
  /** How long the fault lasts, for kinds with a duration. */
  readonly ms: number;
  /** A random number that decides all other choices of the fault, such as the process that it hits. */
  readonly target: number;
}

const GAP_MS = [300, 2_400] as const;
/** Values below and above the timeout of a Redis command (200 ms), the lease of an L1 (1 s) and the consumer lease. */
const DURATIONS_MS = [200, 700, 1_500, 3_000, 6_000] as const;
/**
 * How long a salvo of faults and the calm after it take together. In the calm everything must recover, and reads are
 * judged.
 */
export const CYCLE_MS = 20_000;
const SALVO_SHARE = 0.55;

/**
 * The faults of a phase, drawn from these kinds. The same seed gives the same faults, and a longer phase begins with
 * those of a shorter one. Every kind occurs once before any kind repeats.
 */
export function scheduleFaults(seed: number, forMs: number, kinds: readonly FaultKind[]): Fault[] {
  const choice = new Choice(seed);
  const faults: Fault[] = [];
  let deck: FaultKind[] = [];
  for (let at = GAP_MS[0]; kinds.length > 0 && at < forMs; at += choice.whole(...GAP_MS)) {
    if (at % CYCLE_MS > CYCLE_MS * SALVO_SHARE) at = Math.ceil(at / CYCLE_MS) * CYCLE_MS + GAP_MS[0];
    if (at >= forMs) break;
    if (deck.length === 0) deck = [...kinds];
    const [kind] = deck.splice(choice.whole(0, deck.length - 1), 1);
    faults.push({ kind: kind as FaultKind, at, ms: choice.of(DURATIONS_MS) ?? 200, target: choice.whole(0, 999) });
  }
  return faults;
}
