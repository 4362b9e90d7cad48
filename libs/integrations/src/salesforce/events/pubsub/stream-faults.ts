import { type ServiceError, status } from '@grpc/grpc-js';
import type { StreamEnd } from '../delivery/stream-end.js';

/** Why a Pub/Sub stream ended: a reason of any stream, or one that concerns only its topic. */
export interface PubSubEnd {
  readonly kind: StreamEnd['kind'] | 'position-expired' | 'topic-refused';
  readonly reason: string;
  readonly isSilent?: boolean;
  /** Whether the connection failed, rather than the service refused: then it must not be used again. */
  readonly isBroken?: boolean;
}

const CODE = /sfdc\.platform\.eventbus\.grpc\.([a-z]+(?:\.[a-z]+)*)/;

/**
 * The reaction to each error code of the Pub/Sub API that a subscriber may receive (guide, "Handling Errors"). The gRPC
 * status of a code is documented for few codes; it decides only where no known code is present.
 */
export const ACTIONS: Readonly<Record<string, PubSubEnd['kind']>> = {
  'subscription.fetch.replayid.corrupted': 'position-expired', // invalid, or older than the stored events
  'subscription.fetch.replayid.validation.failed': 'position-expired',
  'subscription.fetch.requested.events.invalid': 'failed',
  'subscription.fetch.topic.mismatch': 'failed',
  'subscription.fetch.overflow': 'failed',
  'subscription.fetch.request.invalid': 'failed',
  'subscription.fetch.replay.repeated': 'failed',
  'subscription.internal.error': 'failed',
  'subscription.limit.exceeded': 'limit',
  'subscription.topic.cannot.subscribe': 'topic-refused',
  'service.auth.error': 'auth',
  'service.auth.headers.invalid': 'auth',
  'service.auth.refresh.invalid': 'auth',
  'service.unavailable': 'failed',
  'service.protection.triggered': 'busy',
  'service.protection.stream.limit.triggered': 'busy',
  'service.tenant.license': 'topic-refused', // every topic, until Salesforce enables the API for the org
  'concurrent.client.limit.exceeded': 'busy',
  'topic.not.found': 'topic-refused',
  'topic.meta.permission': 'topic-refused',
  'topic.validation.empty': 'topic-refused',
  'topic.api.unavailable': 'failed',
  'schema.meta.permission': 'topic-refused',
  'schema.validation.failed': 'topic-refused',
  'schema.api.unavailable': 'failed',
};

/** The reaction to families of codes of calls that are never made: `publish.…`, `managed.subscription.…`. */
const FAMILIES: Readonly<Record<string, PubSubEnd['kind']>> = { managed: 'topic-refused', publish: 'failed' };

/** The reaction to an error without a known code, by its gRPC status; any other status is `failed`. */
const BY_STATUS: Readonly<Partial<Record<status, PubSubEnd['kind']>>> = {
  [status.UNAUTHENTICATED]: 'auth',
  [status.PERMISSION_DENIED]: 'topic-refused',
  [status.NOT_FOUND]: 'topic-refused',
  [status.UNIMPLEMENTED]: 'topic-refused',
  [status.RESOURCE_EXHAUSTED]: 'busy',
};

/** The end for a failed call. An unexpected error is `failed`: it is retried with back-off, without limit. */
export function endOfCall(error: unknown): PubSubEnd {
  if (!isServiceError(error)) return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
  const code = errorCodeOf(error);
  const kind = actionOn(code) ?? BY_STATUS[error.code] ?? 'failed';
  const reason = `${status[error.code]}${code === undefined ? '' : ` ${code}`}: ${error.details}`;
  return { kind, reason, isBroken: code === undefined && kind === 'failed' };
}

/** Whether the service has refused the request for good, so that the same request would get the same answer. */
export function isRefusedByService(error: unknown): boolean {
  if (!isServiceError(error)) return false;
  const action = actionOn(errorCodeOf(error));
  if (action !== undefined) return action === 'topic-refused';
  return [status.NOT_FOUND, status.INVALID_ARGUMENT, status.PERMISSION_DENIED].includes(error.code);
}

function actionOn(code: string | undefined): PubSubEnd['kind'] | undefined {
  return code === undefined ? undefined : (ACTIONS[code] ?? FAMILIES[code.split('.')[0] as string]);
}

/** The error code from the trailers; some answers have it only in their text. */
function errorCodeOf({ metadata, details }: ServiceError): string | undefined {
  const [trailer] = metadata?.get('error-code') ?? [];
  const text = typeof trailer === 'string' ? trailer : (details ?? '');
  return CODE.exec(text)?.[1] ?? (typeof trailer === 'string' ? trailer : undefined);
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && error.code in status;
}
