import { seededRandom } from '../../../support/cache/coherence-oracle.js';
import type { Topology } from '../topology.js';

/** Faults of processes, their fetches, connections and messages. They may overlap. */
const AROUND = [
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
] as const;
/** Faults of the single server. They come among those of processes and may overlap them, but not each other. */
const TO_THE_SERVER = [
  'redis-asleep',
  'redis-stopped',
  'redis-emptied',
  'redis-restarted-empty',
  'redis-restarted-older',
  'redis-reloaded-older',
  'redis-swapped',
] as const;
/** Faults of several servers. Each begins a while after the one before has ended and all servers are whole again. */
const TO_SEVERAL = ['redis-asleep', 'redis-emptied', 'master-killed', 'master-stopped', 'failover', 'split'] as const;
const TO_A_CLUSTER = [
  ...TO_SEVERAL,
  'slot-moved',
  'slot-move-aborted',
  'slot-move-given-up',
  'slot-handed-over',
  'slots-resharded',
] as const;
const TO_SENTINELS = [...TO_SEVERAL, 'replica-promoted', 'host-frozen'] as const;

export type FaultKind =
  | (typeof AROUND)[number]
  | (typeof TO_THE_SERVER)[number]
  | (typeof TO_A_CLUSTER)[number]
  | (typeof TO_SENTINELS)[number];

/** The faults from which a run on each topology draws. */
export const faultKindsOf: Readonly<Record<Topology, readonly FaultKind[]>> = {
  standalone: [...AROUND, ...TO_THE_SERVER],
  cluster: [...AROUND, ...TO_A_CLUSTER],
  sentinel: [...AROUND, ...TO_SENTINELS],
};

export interface Fault {
  readonly kind: FaultKind;
  /** How long the fault lasts, for kinds with a duration. */
  readonly ms: number;
  /** Number of the process, server or slot to hit, taken modulo the number of candidates. */
  readonly target: number;
}

export interface TimedFault extends Fault {
  /** Milliseconds after the beginning of the run. */
  readonly at: number;
}

/**
 * The faults of a run. They follow from the seed, the kinds and the topology; a longer run begins with the same ones.
 * Kinds are drawn in rounds: each round has every kind once, and the `FREQUENT` ones twice.
 */
export interface Faults {
  readonly timed: readonly TimedFault[];
  /** Faults that are carried out one after the other until the run ends; undefined if there are no such kinds. */
  readonly inTurn: Generator<Fault, never> | undefined;
}

/** Kinds that occur twice as often: they are cheap, and L1s depend on them most. */
const FREQUENT: readonly FaultKind[] = [
  'bus-killed',
  'messages-dropped',
  'messages-lost',
  'acks-lost',
  'reader-stopped',
];
const GAP_MS = [150, 1550] as const;
/**
 * Values below and above the command timeout (200 ms), the lease of an L1 (1 s), and the silence after which a bus
 * connection is given up (2 s).
 */
const DURATIONS_MS = [150, 400, 900, 1300, 2200] as const;

/** The faults of these kinds in a run, with their times. */
export function scheduleFaults(seed: number, forMs: number, kinds: readonly FaultKind[], topology: Topology): Faults {
  const isInTurn = (kind: FaultKind) => topology !== 'standalone' && !(AROUND as readonly FaultKind[]).includes(kind);
  const timed = kinds.filter((kind) => !isInTurn(kind));
  const inTurn = kinds.filter(isInTurn);
  return {
    timed: timedFaults(seed, forMs, [...timed, ...FREQUENT.filter((kind) => timed.includes(kind))]),
    inTurn: inTurn.length > 0 ? drawn(seededRandom(seed + 1), inTurn) : undefined,
  };
}

function timedFaults(seed: number, forMs: number, kinds: readonly FaultKind[]): TimedFault[] {
  if (kinds.length === 0) return [];
  const random = seededRandom(seed);
  const faults: TimedFault[] = [];
  const all = drawn(random, kinds);
  for (let at = GAP_MS[0]; at < forMs; at += GAP_MS[0] + random() * (GAP_MS[1] - GAP_MS[0]))
    faults.push({ at: Math.round(at), ...all.next().value });
  return faults;
}

function* drawn(random: () => number, kinds: readonly FaultKind[]): Generator<Fault, never> {
  for (let deck: FaultKind[] = []; ;) {
    if (deck.length === 0) deck = shuffled(kinds, random);
    const ms = DURATIONS_MS[Math.floor(random() * DURATIONS_MS.length)] as number;
    yield { kind: deck.pop() as FaultKind, ms, target: Math.floor(random() * 1000) };
  }
}

/** The same items in an order that the random numbers decide. */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const all = [...items];
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j] as T, all[i] as T];
  }
  return all;
}
