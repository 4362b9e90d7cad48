import type { Sandbox } from '../../../apps/sandbox/src/sandbox.js';

export interface BayeuxAnswer {
  readonly channel: string;
  readonly successful?: boolean;
  readonly error?: string;
  readonly advice?: { readonly reconnect?: string };
  readonly data?: { readonly payload: Record<string, any>; readonly event: { readonly replayId: number } };
}

/** A client of the streaming endpoint that does nothing by itself, so that a test sees every answer. */
export class BayeuxPeer {
  private clientId = '';
  private cookie = '';
  private id = 0;

  constructor(
    private readonly sandbox: Sandbox,
    private readonly token = sandbox.issueToken(),
  ) {}

  /** Shakes hands, subscribes, and receives the first connect's answer. */
  static async on(sandbox: Sandbox, channel: string, replay = -1): Promise<BayeuxPeer> {
    const peer = new BayeuxPeer(sandbox);
    await peer.shakeHands();
    const [answer] = await peer.subscribe(channel, replay);
    if (answer?.successful !== true) throw new Error(answer?.error ?? 'no answer');
    await peer.connect();
    return peer;
  }

  async shakeHands(): Promise<BayeuxAnswer> {
    const [answer] = await this.send({ channel: '/meta/handshake', version: '1.0' });
    this.clientId = (answer as unknown as { clientId?: string }).clientId ?? '';
    return answer as BayeuxAnswer;
  }

  subscribe(subscription: string, replay = -1): Promise<BayeuxAnswer[]> {
    return this.send({ channel: '/meta/subscribe', subscription, ext: { replay: { [subscription]: replay } } });
  }

  /** All messages in the answer to a connect: events first, the answer itself last. */
  connect(): Promise<BayeuxAnswer[]> {
    return this.send({ channel: '/meta/connect', connectionType: 'long-polling' });
  }

  private async send(message: object): Promise<BayeuxAnswer[]> {
    const response = await fetch(`${this.sandbox.url}/cometd/67.0`, {
      method: 'POST',
      headers: { authorization: `OAuth ${this.token}`, 'content-type': 'application/json', cookie: this.cookie },
      body: JSON.stringify([{ ...message, clientId: this.clientId, id: String(++this.id) }]),
    });
    const cookies = response.headers.getSetCookie().map((cookie) => cookie.split(';')[0]);
    if (cookies.length > 0) this.cookie = cookies.join('; ');
    if (!response.ok) throw new Error(`${response.status}`);
    return (await response.json()) as BayeuxAnswer[];
  }
}
