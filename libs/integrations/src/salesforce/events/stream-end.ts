import { SalesforceError } from '../salesforce.errors.js';
import type { BackOffBounds } from './back-off.js';
import type { ResolvedStreamOptions } from './stream.options.js';

/**
 * Why a stream ended, as far as it decides what is done next.
 *
 * - `closed` by this side, or by the server without a complaint; `failed`: the connection or the service broke
 * - `auth`: the token was rejected; `refused`: there was no sign-in at all
 * - `limit`: the org has used up its events of the day; `busy`: Salesforce asks to be asked less often
 * - `overflow`: more came than is handled
 */
export interface StreamEnd {
  readonly kind: 'closed' | 'failed' | 'auth' | 'refused' | 'limit' | 'busy' | 'overflow';
  readonly reason: string;
  /** Nobody said that it ended: nothing had come for too long. */
  readonly isSilent?: boolean;
}

/** The end that a failed sign-in is: refused credentials are for people to mend, anything else passes. */
export function endOfSignIn(error: unknown): StreamEnd {
  const reason = error instanceof Error ? error.message : String(error);
  const code = error instanceof SalesforceError ? error.code : undefined;
  if (code === 'SALESFORCE_AUTH_FAILED' || code === 'SALESFORCE_FORBIDDEN') return { kind: 'refused', reason };
  return { kind: code === 'SALESFORCE_LIMIT_EXCEEDED' ? 'limit' : 'failed', reason };
}

/** The end that an error means which nobody has foreseen. It is tried again and said, as any other. */
export function unforeseen(error: unknown): StreamEnd {
  return { kind: 'failed', reason: `an unforeseen error: ${error instanceof Error ? error.message : String(error)}` };
}

/** How long to wait before the next attempt: longer where an attempt does no good, or costs the org something. */
export function backOffAfter(
  kind: StreamEnd['kind'],
  { connectBackOff, refusedBackOff }: ResolvedStreamOptions,
): BackOffBounds {
  return kind === 'closed' || kind === 'failed' || kind === 'overflow' ? connectBackOff : refusedBackOff;
}
