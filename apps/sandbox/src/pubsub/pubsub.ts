import { randomUUID } from 'node:crypto';
import type {
  Metadata,
  sendUnaryData,
  ServerDuplexStream,
  ServerUnaryCall,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Latency } from '../admin/latency.js';
import type { EventSchemas } from '../events/event-schemas.js';
import type { Sessions } from '../oauth/sessions.js';
import type { Org } from '../org/org.js';
import type {
  FetchRequest,
  FetchResponse,
  PublishRequest,
  PublishResponse,
  SchemaInfo,
  SchemaRequest,
  TopicInfo,
  TopicRequest,
} from '@bff/integrations/salesforce/events/pubsub-service';
import { pubSubError, type PubSubErrorName } from './pubsub-errors.js';
import { publishEvents } from './publishing.js';
import { Subscription, type SubscriptionContext } from './subscription.js';

/** Maximum concurrent streams; more are refused (the real bound is not documented). */
const STREAMS_MAX = 1_000;

/** The parts that the service uses. */
export interface PubSubContext extends SubscriptionContext {
  readonly org: Org;
  readonly schemas: EventSchemas;
  readonly tokens: Sessions;
  readonly latency: Latency;
  /** Uses up and returns the error that was ordered for this call; undefined if there is none. */
  refusal(): PubSubErrorName | undefined;
}

/** Thrown to refuse a call with this error. */
class Refused extends Error {
  constructor(readonly error: PubSubErrorName) {
    super(error);
  }
}

/** The Pub/Sub API over the org's event log: topics, schemas, subscriptions, and publishing of platform events. */
export class PubSub {
  private readonly subscriptions = new Set<Subscription>();
  private readonly stopListening: () => void;
  private pumping: NodeJS.Immediate | undefined;
  private silent = false;

  constructor(private readonly context: PubSubContext) {
    context.channels.onRemoved((name) => this.endStreams('topic-not-found', name));
    // One pump per turn of the event loop, so that events published together come in one response.
    this.stopListening = context.log.onPublished(() => (this.pumping ??= setImmediate(() => this.pump())));
  }

  /** The number of streams that are subscribed to a topic. */
  get streamCount(): number {
    return [...this.subscriptions].filter((subscription) => subscription.topic !== undefined).length;
  }

  /** While true, streams receive neither events nor keep-alives. */
  get isSilent(): boolean {
    return this.silent;
  }

  set isSilent(isSilent: boolean) {
    this.silent = isSilent;
    for (const subscription of this.subscriptions) subscription.setSilent(isSilent);
  }

  /** Ends the streams (of one topic, if named) with an error, or with status OK, and returns their number. */
  endStreams(error?: PubSubErrorName, topic?: string): number {
    const chosen = [...this.subscriptions].filter((stream) => topic === undefined || stream.topic === topic);
    for (const subscription of chosen) subscription.end(error);
    return chosen.length;
  }

  close(): void {
    this.stopListening();
    clearImmediate(this.pumping);
    for (const subscription of this.subscriptions) subscription.close();
    this.subscriptions.clear();
  }

  /** The handlers by their names in the service definition. */
  implementation(): UntypedServiceImplementation {
    return {
      GetTopic: this.unary((request: TopicRequest) => this.topic(request.topicName)),
      GetSchema: this.unary((request: SchemaRequest) => this.schema(request.schemaId)),
      Publish: this.unary((request: PublishRequest) => this.publish(request)),
      Subscribe: (call: ServerDuplexStream<FetchRequest, FetchResponse>) => this.subscribe(call),
    };
  }

  private pump(): void {
    this.pumping = undefined;
    for (const subscription of this.subscriptions) subscription.pump();
  }

  private unary<Q, A>(work: (request: Q) => A) {
    return (call: ServerUnaryCall<Q, A>, callback: sendUnaryData<A>): void => {
      void this.context.latency.whole('pubsub').then(() => {
        try {
          this.check(call.metadata);
          callback(null, work(call.request));
        } catch (error) {
          callback(pubSubError(error instanceof Refused ? error.error : 'internal-error'));
        }
      });
    };
  }

  private topic(name: string): TopicInfo {
    if (name === '') throw new Refused('topic-empty');
    const channel = this.context.channels.open(name);
    if (channel === undefined) throw new Refused('topic-not-found');
    return {
      topicName: name,
      tenantGuid: `core/sandbox/${this.context.org.organizationId}`,
      canPublish: channel.object?.traits.isEvent === true,
      canSubscribe: channel.canSubscribe(),
      schemaId: channel.object === undefined ? '' : this.context.schemas.of(channel.object).id,
      rpcId: randomUUID(),
    };
  }

  private schema(id: string): SchemaInfo {
    if (id === '') throw new Refused('schema-empty');
    const schema = this.context.schemas.find(id);
    if (schema === undefined) throw new Refused('schema-not-found');
    return { schemaJson: schema.json, schemaId: id, rpcId: randomUUID() };
  }

  private publish(request: PublishRequest): PublishResponse {
    const object = this.context.channels.find(request.topicName)?.object;
    if (object?.traits.isEvent !== true) throw new Refused('topic-not-found');
    if (request.events.length === 0) throw new Refused('publish-empty');
    const { org, log, schemas } = this.context;
    const results = publishEvents(org, log, schemas, object, request.events);
    return { results, schemaId: schemas.of(object).id, rpcId: randomUUID() };
  }

  private subscribe(call: ServerDuplexStream<FetchRequest, FetchResponse>): void {
    const subscription = new Subscription(this.context, {
      send: (response) => void call.write(response),
      end: (error) => {
        this.subscriptions.delete(subscription);
        if (error === undefined) call.end();
        else call.emit('error', pubSubError(error));
      },
    });
    const leave = (): void => {
      subscription.close();
      this.subscriptions.delete(subscription);
    };
    try {
      this.check(call.metadata);
      if (this.subscriptions.size >= STREAMS_MAX) throw new Refused('client-limit');
    } catch (error) {
      call.emit('error', pubSubError(error instanceof Refused ? error.error : 'internal-error'));
      return;
    }
    this.subscriptions.add(subscription);
    if (this.silent) subscription.setSilent(true);
    call.on('data', (request: FetchRequest) => subscription.request(request));
    // When a client ends its side of a stream, the server ends the stream.
    call.on('end', () => subscription.end());
    call.on('cancelled', leave);
    call.on('close', leave);
    call.on('error', leave);
  }

  /**
   * Throws `Refused` if this was ordered, or if the call lacks a valid token, an instance or the id of this org
   * (Pub/Sub API guide, "Supported Authentication").
   */
  private check(metadata: Metadata): void {
    const refusal = this.context.refusal();
    if (refusal !== undefined) throw new Refused(refusal);
    const [token, instance, tenant] = ['accesstoken', 'instanceurl', 'tenantid'].map((name) =>
      String(metadata.get(name)[0] ?? ''),
    ) as [string, string, string];
    if (token === '' || instance === '' || tenant === '') throw new Refused('auth-headers-invalid');
    const { organizationId } = this.context.org;
    if (tenant !== organizationId && tenant !== organizationId.slice(0, 15)) throw new Refused('auth-headers-invalid');
    if (!this.context.tokens.isValid(token)) throw new Refused('auth-error');
  }
}
