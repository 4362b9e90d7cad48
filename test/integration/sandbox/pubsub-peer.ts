import { fileURLToPath } from 'node:url';
import {
  credentials,
  loadPackageDefinition,
  Metadata,
  type Client,
  type ClientDuplexStream,
  type GrpcObject,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import avro from 'avsc';
import type { Sandbox } from '../../../apps/sandbox/src/sandbox.js';

const DEFINITION = '../../../libs/integrations/src/salesforce/events/pubsub/pubsub-api.proto';

/** The error of a call, with the parts that a client of Salesforce sees. */
export class Refusal extends Error {
  readonly code: number;
  readonly errorCode: string;
  readonly rpcId: string;
  readonly details: string;

  constructor({ code, details, metadata }: ServiceError) {
    super(details);
    const trailer = (name: string): string => String(metadata?.get(name)[0] ?? '');
    this.code = code;
    this.details = details;
    this.errorCode = trailer('error-code').replace('sfdc.platform.eventbus.grpc.', '');
    this.rpcId = trailer('rpc-id');
  }
}

export interface Fetched {
  readonly events: { readonly event: { id: string; schemaId: string; payload: Buffer }; readonly replayId: Buffer }[];
  readonly latestReplayId: Buffer;
  readonly pendingNumRequested: number;
}

interface FetchOptions {
  readonly topicName?: string;
  readonly replayPreset?: 'LATEST' | 'EARLIEST' | 'CUSTOM';
  readonly replayId?: Buffer;
  readonly numRequested?: number;
}

/** A client of the Pub/Sub API that does nothing by itself, so that a test sees every message. */
export class PubSubPeer {
  private readonly client: Client;
  private readonly types = new Map<string, avro.Type>();
  private readonly streams: PeerStream[] = [];

  constructor(
    private readonly sandbox: Sandbox,
    private readonly metadata: Record<string, string> = {},
    security: 'plaintext' | 'tls' = 'plaintext',
  ) {
    const file = fileURLToPath(new URL(DEFINITION, import.meta.url));
    const eventbus = loadPackageDefinition(loadSync(file, { longs: String, enums: String, defaults: true }))[
      'eventbus'
    ] as GrpcObject;
    const PubSub = (eventbus['v1'] as GrpcObject)['PubSub'] as ServiceClientConstructor;
    const channel =
      security === 'plaintext' ? credentials.createInsecure() : credentials.createSsl(Buffer.from(sandbox.certificate));
    const port = sandbox.pubSubEndpoint.split(':')[1];
    this.client = new PubSub(`localhost:${port}`, channel, { 'grpc.initial_reconnect_backoff_ms': 50 });
  }

  call<T>(method: 'GetTopic' | 'GetSchema' | 'Publish', request: object): Promise<T> {
    return new Promise((resolve, reject) => {
      const methods = this.client as unknown as Record<
        string,
        (request: object, metadata: Metadata, callback: (error: ServiceError | null, answer: T) => void) => void
      >;
      methods[method]?.(request, this.headers(), (error, answer) =>
        error ? reject(new Refusal(error)) : resolve(answer),
      );
    });
  }

  subscribe(topicName: string, first: FetchOptions = {}): PeerStream {
    const methods = this.client as unknown as Record<
      string,
      (metadata: Metadata) => ClientDuplexStream<object, Fetched>
    >;
    const call = methods['Subscribe']?.(this.headers()) as ClientDuplexStream<object, Fetched>;
    const stream = new PeerStream(topicName, call);
    this.streams.push(stream);
    stream.fetch({ topicName, replayPreset: 'LATEST', numRequested: 100, ...first });
    return stream;
  }

  /** Decodes by the schema that the event names. */
  async decode({ event }: Fetched['events'][number]): Promise<Record<string, any>> {
    const known = this.types.get(event.schemaId);
    if (known !== undefined) return known.fromBuffer(event.payload);
    const { schemaJson } = await this.call<{ schemaJson: string }>('GetSchema', { schemaId: event.schemaId });
    const type = avro.Type.forSchema(JSON.parse(schemaJson), { registry: { long: LONGS } });
    this.types.set(event.schemaId, type);
    return type.fromBuffer(event.payload);
  }

  async headersOf(stream: PeerStream): Promise<Record<string, any>[]> {
    return Promise.all(stream.events.map(async (event) => (await this.decode(event))['ChangeEventHeader']));
  }

  cancelStreams(): void {
    for (const stream of this.streams.splice(0)) stream.cancel();
  }

  close(): void {
    this.cancelStreams();
    this.client.close();
  }

  private headers(): Metadata {
    const metadata = new Metadata();
    const all = {
      accesstoken: this.sandbox.issueToken(),
      instanceurl: this.sandbox.url,
      tenantid: this.sandbox.org.organizationId,
      ...this.metadata,
    };
    for (const [name, value] of Object.entries(all)) metadata.set(name, value);
    return metadata;
  }
}

/** One Subscribe stream and all its messages. */
export class PeerStream {
  readonly responses: Fetched[] = [];
  error: Refusal | undefined;
  hasEnded = false;

  constructor(
    readonly topic: string,
    private readonly call: ClientDuplexStream<object, Fetched>,
  ) {
    call.on('data', (response: Fetched) => this.responses.push(response));
    call.on('error', (error: ServiceError) => (this.error = new Refusal(error)));
    call.on('end', () => (this.hasEnded = true));
  }

  get events(): Fetched['events'] {
    return this.responses.flatMap((response) => response.events);
  }

  get replayIds(): string[] {
    return this.events.map(({ replayId }) => replayId.toString('hex'));
  }

  fetch(request: FetchOptions): void {
    this.call.write(request);
  }

  cancel(): void {
    this.call.cancel();
  }
}

const LONGS = avro.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: () => Buffer.alloc(8),
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: () => 0,
});
