import type { SalesforceConnection } from '../../salesforce-connection.js';
import { endOfSignIn } from '../stream-end.js';
import type { ResolvedPubSubOptions } from '../pubsub.options.js';
import { PubSubClient, type PubSubIdentity } from './pubsub-client.js';
import { SchemaCache } from './schema-cache.js';
import type { PubSubEnd } from './stream-faults.js';

/** What a stream is opened with. */
export interface OpenLink {
  readonly client: PubSubClient;
  readonly identity: PubSubIdentity;
}

/** The one connection and the one sign-in that the streams of all topics share. */
export class PubSubLink {
  readonly schemas = new SchemaCache();
  private client: PubSubClient | undefined;

  constructor(
    private readonly connection: SalesforceConnection,
    private readonly options: ResolvedPubSubOptions,
  ) {}

  /**
   * The connection, signed in; with a new token if `rejectedToken` is still the current one. A failed sign-in is the end
   * of the attempt. Never rejects.
   */
  async open(rejectedToken: string | undefined): Promise<OpenLink | PubSubEnd> {
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
      this.client ??= new PubSubClient(endpoint, rootCertificates, requestTimeoutMs);
      return { client: this.client, identity };
    } catch (error) {
      return endOfSignIn(error);
    }
  }

  /** The token was taken. */
  accepted(): void {
    this.connection.accepted();
  }

  /** The connection does not work any more; the next stream gets another one. */
  discard(client: PubSubClient): void {
    if (this.client !== client) return;
    this.client = undefined;
    client.close();
  }

  close(): void {
    this.client?.close();
    this.client = undefined;
  }
}
