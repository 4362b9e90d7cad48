import {
  credentials,
  type CallOptions,
  type ClientDuplexStream,
  makeClientConstructor,
  Metadata,
  type ServiceClientConstructor,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import {
  type FetchRequest,
  type FetchResponse,
  loadPubSubService,
  type SchemaInfo,
  type SchemaRequest,
  type TopicInfo,
  type TopicRequest,
} from '../pubsub-service.js';
import type { PubSubEndpoint } from '../pubsub.options.js';

/** The caller's identity: every call sends token, instance and org (Pub/Sub API Guide, "Supported Authentication"). */
export interface PubSubIdentity {
  readonly accessToken: string;
  readonly instanceUrl: string;
  readonly organizationId: string;
}

/**
 * Maximum size of a message that is received. Salesforce sends at most 4 MB and recommends buffers of 3 MB; this is
 * twice its maximum.
 */
const MESSAGE_BYTES_MAX = 8 * 1024 * 1024;

type Unary<Request, Answer> = (
  request: Request,
  metadata: Metadata,
  options: CallOptions,
  done: (error: ServiceError | null, answer?: Answer) => void,
) => unknown;

interface Stub {
  Subscribe(metadata: Metadata): ClientDuplexStream<FetchRequest, FetchResponse>;
  GetSchema: Unary<SchemaRequest, SchemaInfo>;
  GetTopic: Unary<TopicRequest, TopicInfo>;
  close(): void;
}

let serviceClient: ServiceClientConstructor | undefined;

/** One HTTP/2 connection to the Pub/Sub API, made at the first call. It is never repaired: a broken one is replaced. */
export class PubSubClient {
  /**
   * When something last came over this connection, by `performance.now()`; -Infinity if nothing ever did. Set by the
   * streams on it, and by `isAnswering`.
   */
  seenAt = -Infinity;
  private readonly stub: Stub;
  private asking: Promise<boolean> | undefined;

  constructor(
    endpoint: PubSubEndpoint,
    rootCertificates: string | undefined,
    private readonly timeoutMs: number,
  ) {
    serviceClient ??= makeClientConstructor(loadPubSubService(), 'PubSub');
    const secure = rootCertificates === undefined ? null : Buffer.from(rootCertificates);
    this.stub = new serviceClient(
      endpoint.target,
      endpoint.isPlaintext ? credentials.createInsecure() : credentials.createSsl(secure),
      {
        'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
        'grpc.enable_retries': 0, // only TopicSubscription decides when to try again
        'grpc.use_local_subchannel_pool': 1, // otherwise a new client would reuse the broken connection of the old one
      },
    ) as unknown as Stub;
  }

  subscribe(identity: PubSubIdentity): ClientDuplexStream<FetchRequest, FetchResponse> {
    return this.stub.Subscribe(metadataOf(identity));
  }

  /** Rejects with grpc-js's `ServiceError`. */
  schema(schemaId: string, identity: PubSubIdentity): Promise<SchemaInfo> {
    return this.call((options, done) => this.stub.GetSchema({ schemaId }, metadataOf(identity), options, done));
  }

  /** Rejects with grpc-js's `ServiceError`. */
  topic(topicName: string, identity: PubSubIdentity): Promise<TopicInfo> {
    return this.call((options, done) => this.stub.GetTopic({ topicName }, metadataOf(identity), options, done));
  }

  /**
   * Whether anything came over this connection within `quietMs` or, if not, comes now: it asks for the topic, once for
   * all who wonder at the same time. A refusal is a sign of life, too.
   */
  async isAnswering(quietMs: number, topicName: string, identity: PubSubIdentity): Promise<boolean> {
    if (performance.now() - this.seenAt < quietMs) return true;
    this.asking ??= this.topic(topicName, identity)
      .then(
        () => true,
        ({ code }: ServiceError) => code !== status.DEADLINE_EXCEEDED && code !== status.UNAVAILABLE,
      )
      .finally(() => (this.asking = undefined));
    const answers = await this.asking;
    if (answers) this.seenAt = performance.now();
    return answers;
  }

  /** Closes the connection; calls under way end by themselves. */
  close(): void {
    this.stub.close();
  }

  private call<Answer>(
    send: (options: CallOptions, done: (error: ServiceError | null, answer?: Answer) => void) => unknown,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      send({ deadline: Date.now() + this.timeoutMs }, (error, answer) => {
        if (error !== null) reject(error);
        else resolve(answer as Answer);
      });
    });
  }
}

function metadataOf({ accessToken, instanceUrl, organizationId }: PubSubIdentity): Metadata {
  const metadata = new Metadata();
  metadata.set('accesstoken', accessToken);
  metadata.set('instanceurl', instanceUrl);
  metadata.set('tenantid', organizationId);
  return metadata;
}
