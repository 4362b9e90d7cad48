/** The one job of a process of the change-event benchmark. */
export type ChangeEventsJob =
  /** Applies decoded events that are ready in the process. Each round measures the floor and every other `ApplyRow`. */
  | { readonly kind: 'apply'; readonly redis: Server; readonly rounds: number; readonly events: number }
  /** Applies decoded events that are all ready at once, of records without entries. */
  | { readonly kind: 'burst'; readonly redis: Server; readonly events: number }
  /** Makes changes in the sandbox and follows them over gRPC; the first `readyFirst` exist before the subscription. */
  | {
      readonly kind: 'follow';
      readonly redis: Server;
      readonly sandbox: Server;
      readonly pubSubEndpoint: string;
      readonly events: number;
      readonly readyFirst: number;
    };

/** A process that the consumer works with, and whose processor time is measured. */
export interface Server {
  readonly url: string;
  readonly pid: number;
}

export type ApplyRow = 'floor' | 'uncached' | 'dependants' | 'told';

/** One measurement. Processor times are milliseconds; undefined where the system does not report them. */
export interface ChangeEventsReport {
  readonly row: ApplyRow | 'burst' | 'followed' | 'caught up';
  readonly events: number;
  readonly ms: number;
  readonly consumerCpuMs: number;
  readonly redisCpuMs: number | undefined;
  readonly sandboxCpuMs: number | undefined;
  /** The most events that had arrived and were not applied. */
  readonly waitingMost: number;
  /** Heap and buffers before the first event, and their maximum after a batch, including garbage. */
  readonly heapBytes: number;
  readonly peakHeapBytes: number;
  /** The largest memory that the process ever had, including code and shared libraries. */
  readonly peakResidentBytes: number;
}
