import { PUBSUB_ERROR_NAMES, type PubSubErrorName } from '../pubsub/pubsub-errors.js';
import type { Target } from './latency.js';

/** An HTTP refusal: an error answer, or a connection cut without an answer. */
export type HttpRefusal = { readonly status: number; readonly body: unknown } | 'connection-dropped';

const BUSY = 'Server is too busy. Please try your request again later.';
const dropped = { 'connection-dropped': 'connection-dropped' } as const;

/** The refusals with which each HTTP part can answer instead of doing its work. */
const HTTP_REFUSALS: Readonly<Record<Exclude<Target, 'pubsub'>, Readonly<Record<string, HttpRefusal>>>> = {
  rest: {
    unavailable: salesforce(503, 'SERVER_UNAVAILABLE', BUSY),
    'invalid-session': salesforce(401, 'INVALID_SESSION_ID', 'Session expired or invalid'),
    'request-limit': salesforce(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.'),
    ...dropped,
  },
  oauth: {
    unavailable: salesforce(503, 'SERVER_UNAVAILABLE', BUSY),
    'invalid-client': grant('invalid_client', 'invalid client credentials'),
    'invalid-grant': grant('invalid_grant', 'authentication failure'),
    ...dropped,
  },
  cometd: {
    unavailable: { status: 503, body: [{ error: `503::${BUSY}`, successful: false }] },
    ...dropped,
  },
  whmcs: {
    unavailable: { status: 503, body: { result: 'error', message: BUSY } },
    ...dropped,
  },
};

/** The errors that a part can be ordered to answer with; every part has `unavailable`. */
export function refusalNames(target: Target): readonly string[] {
  return target === 'pubsub' ? PUBSUB_ERROR_NAMES : Object.keys(HTTP_REFUSALS[target]);
}

/** The refusals that were ordered and are not used up, at most one order for each part. */
export class Refusals {
  private readonly orders = new Map<Target, { readonly error: string; left: number }>();

  /** The orders with refusals left, by part; undefined if no refusal is left. */
  get pending(): Readonly<Record<string, { readonly error: string; readonly left: number }>> | undefined {
    const left = [...this.orders].filter(([, order]) => order.left > 0);
    return left.length === 0 ? undefined : Object.fromEntries(left);
  }

  /** Refuses the next `count` calls to this part with this error; 0 cancels the order. */
  order(target: Target, error: string, count: number): void {
    this.orders.set(target, { error, left: count });
  }

  clear(): void {
    this.orders.clear();
  }

  /** Uses up one refusal that was ordered for this HTTP part and returns it; undefined if none is left. */
  ofHttp(target: Exclude<Target, 'pubsub'>): HttpRefusal | undefined {
    const error = this.take(target);
    return error === undefined ? undefined : HTTP_REFUSALS[target][error];
  }

  /** Uses up one error that was ordered for gRPC calls and returns it; undefined if none is left. */
  ofPubSub(): PubSubErrorName | undefined {
    return this.take('pubsub') as PubSubErrorName | undefined;
  }

  private take(target: Target): string | undefined {
    const order = this.orders.get(target);
    if (order === undefined || order.left <= 0) return undefined;
    order.left--;
    return order.error;
  }
}

function salesforce(status: number, errorCode: string, message: string): HttpRefusal {
  return { status, body: [{ message, errorCode }] };
}

function grant(error: string, description: string): HttpRefusal {
  return { status: 400, body: { error, error_description: description } };
}
