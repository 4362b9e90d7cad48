import { seededRandom } from '../../../support/coherence-oracle.js';

/** What can be done to the processes, to Redis and to what they say to each other. */
export const faultKinds = [
  'reader-killed',
  'reader-stopped',
  'builder-killed',
  'builder-stopped',
  'worker-killed',
  'worker-stopped',
  'bus-killed',
  'bus-storm',
  'acks-lost',
  'messages-dropped',
  'messages-lost',
  'connections-killed',
  'fetches-slow',
  'redis-asleep',
  'redis-stopped',
  'redis-emptied',
  'redis-restarted-empty',
  'redis-restarted-older',
] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** Milliseconds after the beginning of the run. */
  readonly at: number;
  /** How long it lasts, where that means anything. */
  readonly ms: number;
  /** Which process, by a number that is taken modulo those that can be hit. */
  readonly target: number;
}

/** Faults that come twice as often: they are cheap, and what L1s depend on. */
const FREQUENT: readonly FaultKind[] = [
  'bus-killed',
  'messages-dropped',
  'messages-lost',
  'acks-lost',
  'reader-stopped',
];
const GAP_MS = [150, 1550] as const;
/** Shorter and longer than a command may take (200 ms), than an L1 lease (1 s), and than a connection is kept (1 s and more). */
const DURATIONS_MS = [150, 400, 900, 1300, 2200] as const;

/** The faults of a run, of these kinds, decided by its seed alone. Every kind comes before any comes again. */
export function scheduleFaults(seed: number, forMs: number, kinds: readonly FaultKind[]): Fault[] {
  const random = seededRandom(seed);
  const faults: Fault[] = [];
  const full = [...kinds, ...FREQUENT.filter((kind) => kinds.includes(kind))];
  if (full.length === 0) return [];
  let deck: FaultKind[] = [];
  for (let at = GAP_MS[0]; ; at += GAP_MS[0] + random() * (GAP_MS[1] - GAP_MS[0])) {
    if (at >= forMs) return faults;
    if (deck.length === 0) deck = shuffled(full, random);
    const ms = DURATIONS_MS[Math.floor(random() * DURATIONS_MS.length)] as number;
    faults.push({ kind: deck.pop() as FaultKind, at: Math.round(at), ms, target: Math.floor(random() * 1000) });
  }
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const all = [...items];
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j] as T, all[i] as T];
  }
  return all;
}
