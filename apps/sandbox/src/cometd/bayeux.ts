/** A Bayeux message as a client sends it; every field but the channel may be missing or wrong. */
export interface BayeuxMessage {
  readonly channel: string;
  readonly id?: string;
  readonly clientId?: string;
  readonly subscription?: unknown;
  readonly ext?: { readonly replay?: Readonly<Record<string, unknown>> };
}

/** A message to the client: the answer to a meta message, or an event. */
export type BayeuxReply = Readonly<Record<string, unknown>>;

/** The successful answer to a message. */
export function accepted(message: BayeuxMessage, more: BayeuxReply = {}): BayeuxReply {
  return { clientId: message.clientId, channel: message.channel, id: message.id, ...more, successful: true };
}

/** The refusal of a message: `error` is `code::text`, as Salesforce words it. */
export function refused(message: BayeuxMessage, error: string, more: BayeuxReply = {}): BayeuxReply {
  return { clientId: message.clientId, channel: message.channel, id: message.id, ...more, error, successful: false };
}

/** The refusal of a message whose session is not, or no longer, known: the client must shake hands again. */
export function unknownClient(message: BayeuxMessage): BayeuxReply {
  const advice = { reconnect: 'handshake', interval: 0 };
  return { advice, channel: message.channel, id: message.id, error: '403::Unknown client', successful: false };
}

/** The refusal of a message whose token is not, or no longer, valid: the client must stop and sign in again. */
export function authenticationInvalid(message: BayeuxMessage): BayeuxReply {
  return refused(message, '401::Authentication invalid', { advice: { reconnect: 'none', interval: 0 } });
}

/** The refusal when the org's event deliveries of the day are used up: the client must stop and come back later. */
export function allocationExceeded(message: BayeuxMessage): BayeuxReply {
  const advice = { reconnect: 'none', interval: 0 };
  return refused(message, '403::Organization total events daily limit exceeded', { advice });
}

/** The refusal of a handshake without a valid token. */
export function handshakeDenied(message: BayeuxMessage): BayeuxReply {
  return {
    ext: { sfdc: { failureReason: '401::Authentication invalid' }, replay: true, 'payload.format': true },
    advice: { reconnect: 'none' },
    channel: message.channel,
    id: message.id,
    error: '403::Handshake denied',
    successful: false,
  };
}

/** The messages of a request's body, which is one message or a non-empty list of them; undefined if it is neither. */
export function messagesOf(body: unknown): BayeuxMessage[] | undefined {
  const list = Array.isArray(body) ? body : [body];
  const isMessage = (item: unknown): item is BayeuxMessage =>
    typeof item === 'object' && item !== null && typeof (item as BayeuxMessage).channel === 'string';
  return list.length > 0 && list.every(isMessage) ? list : undefined;
}
