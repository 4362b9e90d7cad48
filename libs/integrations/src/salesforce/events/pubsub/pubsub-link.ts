import type { SalesforceConnection } from '../../connection/salesforce-connection.js';
import { backOffMs } from '../back-off.js';
import type { ResolvedPubSubOptions } from '../pubsub.options.js';
import { backOffAfter, endOfSignIn } from '../delivery/stream-end.js';
import { SchemaCache } from './event-schema.js';
import { PubSubClient, type PubSubIdentity } from './pubsub-client.js';
import type { PubSubEnd } from './stream-faults.js';

/** The connection and the identity that a stream is opened with. */
export interface OpenLink {
  readonly client: PubSubClient;
  readonly identity: PubSubIdentity;
}

/** The one connection and the one sign-in that the streams of all topics share. */
export class PubSubLink {
  readonly schemas = new SchemaCache();
  private client: PubSubClient | undefined;
  /** The newest sign-in if it failed. Until `retryAt` no topic tries again. */
  private failed: { readonly end: PubSubEnd; readonly retryAt: number; readonly count: number } | undefined;

  constructor(
    private readonly connection: SalesforceConnection,
    private readonly options: ResolvedPubSubOptions,
  ) {}

  /**
   * The connection and the identity of the sign-in, with a new token if `rejectedToken` is still the current one. If
   * the sign-in failed, resolves with the end that this means for a stream, and does so without a new attempt until the
   * next one is due. Never rejects.
   */
  async open(rejectedToken: string | undefined): Promise<OpenLink | PubSubEnd> {
    if (this.failed !== undefined && Date.now() < this.failed.retryAt) return this.failed.end;
    try {
      const signedIn = await (rejectedToken === undefined
        ? this.connection.signedIn()
        : this.connection.renew(rejectedToken));
      const identity = {
        accessToken: signedIn.accessToken ?? '',
        instanceUrl: signedIn.instanceUrl,
        organizationId: await this.connection.organizationId(),
      };
      const { endpoint, rootCertificates } = this.options;
      const { requestTimeoutMs } = this.connection.options;
      this.failed = undefined;
      this.client ??= new PubSubClient(endpoint, rootCertificates, requestTimeoutMs);
      return { client: this.client, identity };
    } catch (error) {
      return this.signInFailed(error);
    }
  }

  /** Closes a broken connection; the next stream gets a new one. */
  discard(client: PubSubClient): void {
    if (this.client !== client) return;
    this.client = undefined;
    client.close();
  }

  close(): void {
    this.client?.close();
    this.client = undefined;
  }

  /** Topics that waited for the same attempt count as one failure. */
  private signInFailed(error: unknown): PubSubEnd {
    const now = Date.now();
    if (this.failed === undefined || now >= this.failed.retryAt) {
      const end = endOfSignIn(error);
      const count = (this.failed?.count ?? 0) + 1;
      this.failed = { end, count, retryAt: now + backOffMs(count - 1, backOffAfter(end.kind, this.options)) };
    }
    return this.failed.end;
  }
}
