import { SalesforceError } from '../../salesforce.errors.js';
import type { BackOffBounds } from '../back-off.js';
import type { ResolvedStreamOptions } from '../stream.options.js';

/**
 * Why a stream ended; `kind` decides the next step.
 *
 * - `closed`: by this side, or by the server without an error; `failed`: the connection or the service broke
 * - `auth`: the token was rejected; `refused`: the sign-in itself was refused
 * - `limit`: the org has used up its events of the day; `busy`: too many clients, requests or sign-ins at once
 * - `overflow`: more events came than are handled
 */
export interface StreamEnd {
  readonly kind: 'closed' | 'failed' | 'auth' | 'refused' | 'limit' | 'busy' | 'overflow';
  readonly reason: string;
  /** The stream did not report its end: nothing came for too long. */
  readonly isSilent?: boolean;
}

/**
 * The end for a failed sign-in. Refused credentials need a person to correct them; other failures pass. A limit at the
 * token endpoint is one of sign-ins, not of events.
 */
export function endOfSignIn(error: unknown): StreamEnd {
  const reason = error instanceof Error ? error.message : String(error);
  const code = error instanceof SalesforceError ? error.code : undefined;
  if (code === 'SALESFORCE_AUTH_FAILED' || code === 'SALESFORCE_FORBIDDEN') return { kind: 'refused', reason };
  return { kind: code === 'SALESFORCE_LIMIT_EXCEEDED' ? 'busy' : 'failed', reason };
}

/** The end for an unexpected error. It is logged and retried like any other. */
export function unforeseen(error: unknown): StreamEnd {
  return { kind: 'failed', reason: `an unforeseen error: ${error instanceof Error ? error.message : String(error)}` };
}

/** Bounds of the wait before the next attempt: longer where an attempt does no good, or costs the org something. */
export function backOffAfter(
  kind: StreamEnd['kind'],
  { connectBackOff, refusedBackOff }: ResolvedStreamOptions,
): BackOffBounds {
  return kind === 'closed' || kind === 'failed' || kind === 'overflow' ? connectBackOff : refusedBackOff;
}
