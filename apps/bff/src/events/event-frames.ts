/** Why a stream ends; sent in its last event. */
export type ClosingReason =
  'shutdown' | 'token-expired' | 'lifetime' | 'account-changed' | 'slow-consumer' | 'replaced';

interface Frame {
  readonly event?: string;
  /** The position from which a browser that has received this frame resumes. */
  readonly id?: string | undefined;
  readonly data?: object;
  /** How long the browser waits before it reconnects, in milliseconds. */
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
