import { randomUUID } from 'node:crypto';
import { Metadata, status, type ServiceError } from '@grpc/grpc-js';

/**
 * The errors of the Pub/Sub API: gRPC status, error code and text (Pub/Sub API guide, "Handling Errors"). The guide
 * names the codes. Only some statuses are known; the others are plausible ones.
 */
const ERRORS = {
  unavailable: [status.UNAVAILABLE, 'service.unavailable', 'The Pub/Sub API service is unavailable.'],
  'auth-error': [
    status.UNAUTHENTICATED,
    'service.auth.error',
    'An authentication exception occurred. Provide valid authentication.',
  ],
  'auth-headers-invalid': [
    status.UNAUTHENTICATED,
    'service.auth.headers.invalid',
    'One or more authentication headers are missing or blank.',
  ],
  'auth-refresh-invalid': [
    status.UNAUTHENTICATED,
    'service.auth.refresh.invalid',
    'The auth refresh token is invalid.',
  ],
  'service-protection': [
    status.RESOURCE_EXHAUSTED,
    'service.protection.triggered',
    'There are too many connections or requests.',
  ],
  'client-limit': [
    status.RESOURCE_EXHAUSTED,
    'concurrent.client.limit.exceeded',
    'The maximum number of concurrent clients is exceeded.',
  ],
  'topic-not-found': [status.NOT_FOUND, 'topic.not.found', 'The topic was not found, or the user has no access to it.'],
  'topic-unavailable': [status.UNAVAILABLE, 'topic.api.unavailable', 'Topic information is temporarily unavailable.'],
  'topic-empty': [status.INVALID_ARGUMENT, 'topic.validation.empty', 'The topic name is empty.'],
  'schema-not-found': [
    status.NOT_FOUND,
    'schema.meta.permission',
    'The schema was not found, or the user has no access to it.',
  ],
  'schema-empty': [status.INVALID_ARGUMENT, 'schema.validation.failed', 'The schema ID is empty.'],
  'cannot-subscribe': [
    status.PERMISSION_DENIED,
    'subscription.topic.cannot.subscribe',
    'The user may not subscribe to the topic.',
  ],
  'replay-id-corrupted': [
    status.INVALID_ARGUMENT,
    'subscription.fetch.replayid.corrupted',
    'The Replay ID validation failed. Ensure that the Replay ID is valid.',
  ],
  'replay-id-missing': [
    status.INVALID_ARGUMENT,
    'subscription.fetch.replayid.validation.failed',
    'The replay preset CUSTOM needs a Replay ID.',
  ],
  'requested-invalid': [
    status.INVALID_ARGUMENT,
    'subscription.fetch.requested.events.invalid',
    'The number of requested events must be greater than zero.',
  ],
  'topic-mismatch': [
    status.INVALID_ARGUMENT,
    'subscription.fetch.topic.mismatch',
    'The topic name must be the same in all requests of a stream.',
  ],
  'fetch-overflow': [
    status.RESOURCE_EXHAUSTED,
    'subscription.fetch.overflow',
    'More events were requested than were processed.',
  ],
  'replay-repeated': [
    status.INTERNAL,
    'subscription.fetch.replay.repeated',
    'An event with a lower Replay ID was received.',
  ],
  'limit-exceeded': [
    status.RESOURCE_EXHAUSTED,
    'subscription.limit.exceeded',
    'You have exceeded the event delivery limit for your org.',
  ],
  'internal-error': [status.INTERNAL, 'subscription.internal.error', 'An internal error occurred in the subscription.'],
  'publish-empty': [status.INVALID_ARGUMENT, 'publish.event.count.invalid', 'The publish request holds no events.'],
} as const satisfies Record<string, readonly [status, string, string]>;

/** The names by which a fault picks an error. */
export type PubSubErrorName = keyof typeof ERRORS;

/** All error names, for the check and the documentation of faults. */
export const PUBSUB_ERROR_NAMES = Object.keys(ERRORS) as PubSubErrorName[];

/** The error as the API sends it: the trailers hold its code and the call's id, and the text ends with this id too. */
export function pubSubError(name: PubSubErrorName): Pick<ServiceError, 'code' | 'details' | 'metadata'> {
  const [code, suffix, words] = ERRORS[name];
  const rpcId = randomUUID();
  const metadata = new Metadata();
  metadata.set('error-code', `sfdc.platform.eventbus.grpc.${suffix}`);
  metadata.set('rpc-id', rpcId);
  return { code, details: `${words} rpcId: ${rpcId}`, metadata };
}
