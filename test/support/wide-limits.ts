/**
 * Limits that no test reaches. Tests poll every few milliseconds and put load on one account, as no customer may; those
 * of the limits set their own.
 */
export const WIDE_LIMITS = {
  LIMIT_REQUESTS: '1000000/60',
  LIMIT_FETCHES: '1000000/60',
  LIMIT_WRITES: '1000000/60',
  LIMIT_STREAMS: '1000000/60',
};
