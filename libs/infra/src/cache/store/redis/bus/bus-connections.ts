/** The connections that receive the messages of channels until they are closed. */
export interface BusConnections {
  open(): void;
  close(): void;
  /** Adds these channels. */
  listenTo(channels: readonly string[]): void;
  /** Whether every requested channel is listened to; also true while a single server is away: waiting is no use. */
  readonly isSettled: boolean;
}
