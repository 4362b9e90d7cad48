/** What a process of the change-event benchmark is asked to do, once. */
export type ChangeEventsJob =
  /** Decoded events, ready in the process, are applied on Redis: round by round beside the floor, by `ApplyRow`. */
  | { readonly kind: 'apply'; readonly redis: Server; readonly rounds: number; readonly events: number }
  /** So many decoded events are ready at once, of records that nobody caches. */
  | { readonly kind: 'burst'; readonly redis: Server; readonly events: number }
  /** So many changes are made in the sandbox, and followed over gRPC; the first of them before anybody subscribes. */
  | {
      readonly kind: 'follow';
      readonly redis: Server;
      readonly sandbox: Server;
      readonly pubSubEndpoint: string;
      readonly events: number;
      readonly readyFirst: number;
    };

/** A process that the consumer works with, whose use of the processors is looked at. */
export interface Server {
  readonly url: string;
  readonly pid: number;
}

export type ApplyRow = 'floor' | 'uncached' | 'dependants' | 'told';

/** One measurement. Processor times are milliseconds; undefined where the system does not tell them. */
export interface ChangeEventsReport {
  readonly row: ApplyRow | 'burst' | 'followed' | 'caught up';
  readonly events: number;
  readonly ms: number;
  readonly consumerCpuMs: number;
  readonly redisCpuMs: number | undefined;
  readonly sandboxCpuMs: number | undefined;
  /** The most events that had arrived and were not applied. */
  readonly waitingMost: number;
  /** Heap and buffers before the first event, and the most that was seen after a batch, garbage included. */
  readonly heapBytes: number;
  readonly peakHeapBytes: number;
  /** The most memory that the process ever had, code and shared libraries included. */
  readonly peakResidentBytes: number;
}
