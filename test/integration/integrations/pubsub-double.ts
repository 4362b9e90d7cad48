import { randomUUID } from 'node:crypto';
import {
  Metadata,
  Server,
  ServerCredentials,
  status,
  type ServerDuplexStream,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import avro from 'avsc';
import {
  type FetchRequest,
  type FetchResponse,
  loadPubSubService,
  type SchemaInfo,
  type SchemaRequest,
  type TopicInfo,
  type TopicRequest,
} from '@bff/integrations/salesforce/events/pubsub-service';
import { json, RestDouble } from './rest-double.js';

type Done<Answer> = (error: object | null, answer?: Answer) => void;

/**
 * The scripted part of an event; the rest of its header is generated. Fields have names here, also in `changed`, which
 * is sent as a bitmap.
 */
export interface ScriptedChange {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly changed?: readonly string[];
}

interface StoredEvent {
  readonly topic: string;
  readonly replayId: number;
  readonly schemaId: string;
  readonly payload: Buffer;
}

interface Stream {
  readonly call: ServerDuplexStream<FetchRequest, FetchResponse>;
  topic: string;
  /** The first event that was not sent to the stream yet, by its place: several may share a replay id. */
  next: number;
  pending: number;
}

const texts = { type: 'array', items: 'string' } as const;
const header = (name: string, type: unknown): object => ({ name, type });
const HEADER = {
  type: 'record',
  name: 'ChangeEventHeader',
  fields: [
    header('entityName', 'string'),
    header('recordIds', texts),
    header('changeType', 'string'),
    header('transactionKey', 'string'),
    header('sequenceNumber', 'int'),
    header('commitTimestamp', 'long'),
    header('nulledFields', texts),
    header('diffFields', texts),
    header('changedFields', texts),
  ],
};

/** Salesforce counts requested events only up to this number, and does not refuse more (Pub/Sub API Guide). */
const OUTSTANDING_MAX = 100;

/**
 * A Salesforce that issues tokens and speaks the Pub/Sub API, over real sockets and without TLS, for faults that the
 * real one does not produce on request. Faults are switched from outside.
 */
export class PubSubDouble {
  /** Every received request, in order. */
  readonly requests: FetchRequest[] = [];
  readonly identities: Record<string, unknown>[] = [];
  schemaRequests = 0;
  /** Maximum number of events that were requested and not yet sent, on any stream so far. */
  outstandingMax = 0;
  /** Replay ids below it are out of retention. */
  oldestReplayId = 0;
  /** The error code for a replay id that is out of retention or was never assigned. */
  replayIdError = 'subscription.fetch.replayid.corrupted';
  /** While set, neither events nor keep-alives are sent. */
  isSilent = false;
  /** While set, streams show no sign of life before the first event, and topics are not described. */
  isReticent = false;
  /** How often topics were asked for. */
  descriptions = 0;
  /** While set, every new stream ends with this gRPC status and error code. */
  refusal: readonly [status, string | undefined] | undefined;
  readonly refusedTopics = new Map<string, readonly [status, string]>();
  /** While set, every request for a schema is refused with this status and error code. */
  schemaRefusal: readonly [status, string] | undefined;
  /** While set, every new stream is refused because of its token. */
  rejectsTokens = false;
  private readonly events: StoredEvent[] = [];
  private readonly schemas = new Map<string, string>();
  private readonly fields = new Map<string, readonly string[]>();
  private readonly streams = new Set<Stream>();
  private server = new Server();
  private port = 0;
  private replayId = 1_000;

  private constructor(readonly rest: RestDouble) {}

  static async start(): Promise<PubSubDouble> {
    const rest = await RestDouble.start();
    rest.answer = json({ queryable: true, retrieveable: true });
    const double = new PubSubDouble(rest);
    await double.listen();
    return double;
  }

  get loginUrl(): string {
    return this.rest.url;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get streamCount(): number {
    return this.streams.size;
  }

  /** From now on the topic's events have these fields, by a schema with another id. */
  setFields(topic: string, ...names: string[]): void {
    this.fields.set(topic, names);
  }

  /**
   * Stores the event and sends it to every stream that has requested it. Returns its replay id as the source shows it.
   */
  publish(topic: string, change: ScriptedChange = {}, { isSameId = false } = {}): string {
    const { id, fields, type } = this.schemaOf(topic);
    const changed = this.bitmap(fields, change.changed ?? []);
    const record = {
      ChangeEventHeader: {
        entityName: 'Order',
        recordIds: ['801xx0000000001AAA'],
        changeType: 'UPDATE',
        transactionKey: randomUUID(),
        sequenceNumber: 1,
        commitTimestamp: 1_795_206_150_000,
        nulledFields: [],
        diffFields: [],
        changedFields: changed,
        ...change.header,
      },
      ...Object.fromEntries(fields.map((name) => [name, change.fields?.[name] ?? null])),
    };
    return this.publishRaw(topic, type.toBuffer(record), { schemaId: id, isSameId });
  }

  publishRaw(topic: string, payload: Buffer, { schemaId = 'unknown', isSameId = false } = {}): string {
    if (!isSameId) this.replayId += 3;
    this.events.push({ topic, replayId: this.replayId, schemaId, payload });
    for (const stream of this.streams) this.pump(stream);
    return bytes(this.replayId).toString('base64');
  }

  /** Sends a keep-alive to every stream. Returns the position that it names. */
  keepAlive(): string {
    this.replayId += 3;
    for (const stream of this.streams) {
      this.send(stream, [], this.replayId);
    }
    return bytes(this.replayId).toString('base64');
  }

  /** Ends every stream: with this error, or without one, like a server that has finished. */
  endStreams(code?: status, errorCode?: string): void {
    for (const { call } of [...this.streams]) {
      if (code === undefined) call.end();
      else fail(call, code, errorCode);
    }
    this.streams.clear();
  }

  /** Makes the current token invalid; open streams go on, as Salesforce's do. */
  revokeToken(): void {
    this.rest.expireToken();
  }

  /** Cuts every connection without notice, and accepts new ones at the same port. */
  async dropConnections(): Promise<void> {
    this.server.forceShutdown();
    this.streams.clear();
    await this.listen();
  }

  async stop(): Promise<void> {
    this.server.forceShutdown();
    await this.rest.stop();
  }

  private async listen(): Promise<void> {
    this.server = new Server();
    this.server.addService(loadPubSubService(), {
      Subscribe: (call: Stream['call']) => this.subscribe(call),
      GetSchema: (call: ServerUnaryCall<SchemaRequest, SchemaInfo>, done: Done<SchemaInfo>) => this.schema(call, done),
      GetTopic: (call: ServerUnaryCall<TopicRequest, TopicInfo>, done: Done<TopicInfo>) => this.topic(call, done),
    });
    this.port = await new Promise<number>((resolve, reject) => {
      this.server.bindAsync(`127.0.0.1:${this.port}`, ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    });
  }

  private subscribe(call: Stream['call']): void {
    const stream: Stream = { call, topic: '', next: 0, pending: 0 };
    const leave = (): void => void this.streams.delete(stream);
    call.on('cancelled', leave);
    call.on('error', leave);
    call.on('end', () => {
      leave();
      call.end();
    });
    this.identities.push(call.metadata.getMap());
    call.on('data', (request: FetchRequest) => this.request(stream, request));
  }

  private request(stream: Stream, request: FetchRequest): void {
    this.requests.push(request);
    if (stream.topic === '') {
      const refusal = this.refusalOf(stream.call.metadata, request);
      if (refusal !== undefined) return fail(stream.call, ...refusal);
      stream.topic = request.topicName;
      const after = request.replayPreset === 'CUSTOM' ? number(request.replayId as Buffer) : this.replayId;
      stream.next = this.events.filter(({ replayId }) => replayId <= after).length;
      this.streams.add(stream);
      if (!this.isReticent) stream.call.sendMetadata(new Metadata());
    }
    stream.pending += request.numRequested;
    this.outstandingMax = Math.max(this.outstandingMax, stream.pending);
    stream.pending = Math.min(OUTSTANDING_MAX, stream.pending);
    this.pump(stream);
  }

  private refusalOf(metadata: Metadata, request: FetchRequest): readonly [status, string | undefined] | undefined {
    if (this.rejectsTokens || !this.rest.accepts(metadata.get('accesstoken')[0])) {
      return [status.UNAUTHENTICATED, 'service.auth.error'];
    }
    const refusal = this.refusal ?? this.refusedTopics.get(request.topicName);
    if (refusal !== undefined || request.replayPreset !== 'CUSTOM') return refusal;
    const after = number(request.replayId as Buffer);
    const isKnown = after >= this.oldestReplayId && after <= this.replayId;
    return isKnown ? undefined : [status.INVALID_ARGUMENT, this.replayIdError];
  }

  private pump(stream: Stream): void {
    if (this.isSilent) return;
    const due: StoredEvent[] = [];
    while (stream.next < this.events.length && due.length < stream.pending) {
      const event = this.events[stream.next++] as StoredEvent;
      if (event.topic === stream.topic) due.push(event);
    }
    const latest = due.at(-1);
    if (latest === undefined) return;
    stream.pending -= due.length;
    this.send(stream, due, latest.replayId);
  }

  private send(stream: Stream, due: readonly StoredEvent[], latest: number): void {
    if (this.isSilent) return;
    stream.call.write({
      events: due.map(({ replayId, schemaId, payload }) => ({
        event: { id: '', schemaId, payload },
        replayId: bytes(replayId),
      })),
      latestReplayId: bytes(latest),
      rpcId: randomUUID(),
      pendingNumRequested: stream.pending,
    });
  }

  private schema({ request }: ServerUnaryCall<SchemaRequest, SchemaInfo>, done: Done<SchemaInfo>): void {
    this.schemaRequests += 1;
    if (this.schemaRefusal !== undefined) return done(errorOf(...this.schemaRefusal));
    const schemaJson = this.schemas.get(request.schemaId);
    if (schemaJson === undefined) return done(errorOf(status.NOT_FOUND, 'schema.meta.permission'));
    done(null, { schemaJson, schemaId: request.schemaId, rpcId: randomUUID() });
  }

  private topic({ request }: ServerUnaryCall<TopicRequest, TopicInfo>, done: Done<TopicInfo>): void {
    this.descriptions += 1;
    if (this.isReticent) return;
    const { topicName } = request;
    done(null, { topicName, tenantGuid: 't', canPublish: false, canSubscribe: true, schemaId: '', rpcId: 'r' });
  }

  private schemaOf(topic: string): { id: string; fields: readonly string[]; type: avro.Type } {
    const fields = this.fields.get(topic) ?? ['AccountId', 'Status', 'LastModifiedDate'];
    const id = `${topic}:${fields.join()}`;
    const definition = {
      type: 'record',
      name: 'ChangeEvent',
      fields: [
        { name: 'ChangeEventHeader', type: HEADER },
        ...fields.map((name) => ({ name, type: ['null', 'string'] })),
      ],
    };
    this.schemas.set(id, JSON.stringify(definition));
    return { id, fields, type: avro.Type.forSchema(definition as avro.Schema) };
  }

  private bitmap(fields: readonly string[], names: readonly string[]): string[] {
    if (names.length === 0) return [];
    const mask = names.reduce((bits, name) => bits | (1n << BigInt(fields.indexOf(name) + 1)), 0n);
    const hex = mask.toString(16).toUpperCase();
    return [`0x${hex.length % 2 === 0 ? hex : `0${hex}`}`];
  }
}

function bytes(replayId: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64BE(BigInt(replayId));
  return buffer;
}

function number(replayId: Buffer): number {
  return replayId.length === 8 ? Number(replayId.readBigUInt64BE()) : -1;
}

function errorOf(code: status, errorCode: string | undefined): object {
  const metadata = new Metadata();
  const rpcId = randomUUID();
  metadata.set('rpc-id', rpcId);
  if (errorCode !== undefined) metadata.set('error-code', `sfdc.platform.eventbus.grpc.${errorCode}`);
  return { code, details: `It did not work. rpcId: ${rpcId}`, metadata };
}

function fail(call: Stream['call'], code: status, errorCode: string | undefined): void {
  call.emit('error', errorOf(code, errorCode));
}
