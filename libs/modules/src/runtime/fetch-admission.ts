import type { Limits } from '@bff/infra/limits/limits';
import type { Admission } from '@bff/infra/sources/source-gate';

/**
 * Charges each read of a source to the customer for whom it is made, and refuses it with `RateLimitedError` once the
 * limit is reached. What a write sends or looks up was charged with the write, so an account that has read too much can
 * still order. Only the search for the account itself comes before that charge: for a write it costs the user a point
 * of `write`, so a user without points to read can still order, and cannot have accounts looked for without end.
 */
export function fetchAdmission(limits: Limits): Admission {
  return async (caller, kind) => {
    if (kind === 'read') await limits.charge('fetch', caller);
    else if (caller?.account === undefined) await limits.charge('write', caller);
  };
}
