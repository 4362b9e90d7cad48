/** Why a stream ends; sent in its last event. */
export type ClosingReason = 'shutdown' | 'token-expired' | 'lifetime' | 'account-changed' | 'slow-consumer';

interface Frame {
  readonly event?: string;
  /** Where to resume after this frame. */
  readonly id?: string | undefined;
  readonly data?: object;
  /** Wait before reconnecting, in milliseconds. */
  readonly retryMs?: number;
  readonly comment?: string;
}

/**
 * One block of the wire format (WHATWG HTML, "Server-sent events"). Values are ours, without line breaks; data is JSON.
 */
export function frame({ event, id, data, retryMs, comment }: Frame): string {
  const lines = [
    ...(comment === undefined ? [] : [`: ${comment}`]),
    ...(id === undefined ? [] : [`id: ${id}`]),
    ...(retryMs === undefined ? [] : [`retry: ${retryMs}`]),
    ...(event === undefined ? [] : [`event: ${event}`]),
    ...(data === undefined ? [] : [`data: ${JSON.stringify(data)}`]),
  ];
  return `${lines.join('\n')}\n\n`;
}
