import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** Where a subscription starts. `CUSTOM`: after `replayId`, exclusive. */
export type ReplayPreset = 'LATEST' | 'EARLIEST' | 'CUSTOM';

/**
 * A request for events of one topic. A stream's first request also says where to start; later ones only ask for more
 * events.
 */
export interface FetchRequest {
  readonly topicName: string;
  readonly numRequested: number;
  readonly replayPreset?: ReplayPreset;
  readonly replayId?: Buffer;
}

/** Events, or a keep-alive if there are none; `latestReplayId` is a position in both cases. */
export interface FetchResponse {
  readonly events: readonly ConsumerEvent[];
  readonly latestReplayId: Buffer;
  readonly rpcId: string;
  readonly pendingNumRequested: number;
}

export interface ConsumerEvent {
  readonly event: ProducerEvent | null;
  readonly replayId: Buffer;
}

export interface ProducerEvent {
  readonly id: string;
  readonly schemaId: string;
  /** Avro data written with the schema `schemaId`; it does not contain the schema. */
  readonly payload: Buffer;
  readonly headers?: readonly { readonly key: string; readonly value: Buffer }[];
}

export interface SchemaRequest {
  readonly schemaId: string;
}

export interface SchemaInfo {
  readonly schemaJson: string;
  readonly schemaId: string;
  readonly rpcId: string;
}

export interface TopicRequest {
  readonly topicName: string;
}

export interface TopicInfo {
  readonly topicName: string;
  readonly tenantGuid: string;
  readonly canPublish: boolean;
  readonly canSubscribe: boolean;
  readonly schemaId: string;
  readonly rpcId: string;
}

export interface PublishRequest {
  readonly topicName: string;
  readonly events: readonly ProducerEvent[];
}

export interface PublishResponse {
  readonly results: readonly {
    readonly replayId: Buffer;
    readonly error: { readonly code: 'UNKNOWN' | 'PUBLISH' | 'COMMIT'; readonly msg: string } | null;
    readonly correlationKey: string;
  }[];
  readonly schemaId: string;
  readonly rpcId: string;
}

const PROTOCOL = fileURLToPath(new URL('./pubsub/pubsub-api.proto', import.meta.url));

/**
 * The Pub/Sub API (`eventbus.v1.PubSub`) as grpc-js takes it, for a client and for a server: `Subscribe`, `GetSchema`,
 * `GetTopic`, `Publish`. Messages have the fields of the interfaces above; absent fields have their defaults; bytes are
 * Buffers.
 */
export function loadPubSubService(): ServiceDefinition {
  const definition = loadSync(PROTOCOL, { enums: String, longs: String, defaults: true });
  return definition['eventbus.v1.PubSub'] as ServiceDefinition;
}
