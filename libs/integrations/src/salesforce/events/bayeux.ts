/** A Bayeux message as CometD sends it (CometD Reference, "Bayeux Message Fields"); nothing about it is certain. */
export interface BayeuxMessage {
  channel?: string;
  clientId?: string;
  subscription?: string | string[];
  successful?: boolean;
  error?: string;
  data?: unknown;
  advice?: { reconnect?: 'retry' | 'handshake' | 'none'; interval?: number; timeout?: number };
  ext?: { replay?: unknown; sfdc?: { failureReason?: string } };
}

/** Passing null instead of a message makes the client forget it. */
export type Pass = (message: BayeuxMessage | null) => void;

export interface BayeuxExtension {
  outgoing(message: BayeuxMessage, pass: Pass): void;
  incoming(message: BayeuxMessage, pass: Pass): void;
}

/** What is used of jsforce's streaming client, which is faye's and has no types. */
export interface BayeuxClient {
  subscribe(channel: string, onData: (data: unknown) => void): PromiseLike<void>;
  disconnect(): unknown;
  disable(transport: 'websocket'): void;
  on(event: 'transport:down', listener: () => void): void;
}

interface FayeInternals {
  readonly _dispatcher?: {
    readonly _envelopes?: Map<
      string,
      { timer?: NodeJS.Timeout | null; request?: Promise<{ destroy?(): void }> | null }
    >;
    close?(): void;
  };
}

/**
 * Ends every request and timer of a client at once. faye's `disconnect` leaves the long poll open until the server answers
 * it, and does nothing before the handshake has succeeded; so this reaches for its private parts, as jsforce itself does.
 */
export function abandon(client: BayeuxClient): void {
  const dispatcher = (client as unknown as FayeInternals)._dispatcher;
  const envelopes = [...(dispatcher?._envelopes?.values() ?? [])];
  dispatcher?._envelopes?.clear();
  dispatcher?.close?.();
  for (const { timer, request } of envelopes) {
    if (timer) clearTimeout(timer);
    request?.then(
      (sent) => sent.destroy?.(),
      () => undefined, // it failed by itself
    );
  }
}
