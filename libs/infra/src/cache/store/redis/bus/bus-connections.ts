/** The connections that receive the messages of channels, for as long as the process lives. */
export interface BusConnections {
  open(): void;
  close(): void;
  /** Adds these channels. */
  listenTo(channels: readonly string[]): void;
  /** Whether every requested channel is listened to now, or cannot be yet. */
  readonly isSettled: boolean;
}
