import type { ClientRequest } from 'node:http';

/** A Bayeux message as CometD sends it (CometD Reference, "Bayeux Message Fields"); every field may be absent. */
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

/** Passes a message on; null makes the client drop it. */
export type Pass = (message: BayeuxMessage | null) => void;

export interface BayeuxExtension {
  outgoing(message: BayeuxMessage, pass: Pass): void;
  incoming(message: BayeuxMessage, pass: Pass): void;
}

/** The part of jsforce's streaming client that is used here. The client is faye's and has no types. */
export interface BayeuxClient {
  subscribe(channel: string, onData: (data: unknown) => void): PromiseLike<void>;
  disconnect(): unknown;
  disable(transport: 'websocket'): void;
  on(event: 'transport:down', listener: () => void): void;
}

/** faye's current transport; faye may replace it after the handshake. */
interface FayeTransport {
  request(messages: unknown): ClientRequest;
}

interface FayeInternals {
  readonly _dispatcher?: {
    _transport?: FayeTransport;
    readonly _envelopes?: Map<
      string,
      { timer?: NodeJS.Timeout | null; request?: Promise<{ destroy?(): void }> | null }
    >;
    close?(): void;
  };
}

/**
 * Ends every request and timer of a client at once. faye's `disconnect` leaves the long poll open until the server
 * answers it, and does nothing before a successful handshake; so this uses private members of faye, as jsforce does.
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
      () => undefined, // the request failed by itself
    );
  }
}

/**
 * Closes the connection and calls `onTooLarge` when one answer exceeds `bytesMax` bytes; faye alone would keep all of
 * it. The count is the true size, because faye requests no compression and follows no redirect.
 */
export function boundAnswers(client: BayeuxClient, bytesMax: number, onTooLarge: () => void): void {
  const dispatcher = (client as unknown as FayeInternals)._dispatcher;
  if (dispatcher === undefined) throw new Error('the streaming client has no dispatcher: is it another faye?');
  const bounded = (transport: FayeTransport | undefined): FayeTransport | undefined => {
    if (transport === undefined || Object.hasOwn(transport, 'request')) return transport;
    const send = transport.request.bind(transport);
    transport.request = (messages) =>
      send(messages).on('response', (response) => {
        let bytes = 0;
        response.on('data', (chunk: string | Buffer) => {
          bytes += Buffer.byteLength(chunk);
          if (bytes <= bytesMax || response.destroyed) return;
          response.destroy();
          onTooLarge();
        });
      });
    return transport;
  };
  let current = bounded(dispatcher._transport);
  Object.defineProperty(dispatcher, '_transport', {
    get: () => current,
    set: (next: FayeTransport | undefined) => {
      current = bounded(next);
    },
  });
}
