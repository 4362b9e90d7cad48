/** The connections on which the messages of channels arrive, for as long as the process lives. */
export interface BusConnections {
  open(): void;
  close(): void;
  /** From now on these too. */
  listenTo(channels: readonly string[]): void;
  /** Whether everything that was asked for is listened to at this instant, or cannot be yet. */
  readonly isSettled: boolean;
}
