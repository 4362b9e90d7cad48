import { describe, expect, it } from '@jest/globals';
import { rateLimitFields } from './rate-limit-fields.js';

describe('the fields of rate limits', () => {
  it('name each policy that was charged, and what is left of it', () => {
    const fields = rateLimitFields([
      { work: 'request', policy: { points: 1200, windowSeconds: 60 }, remaining: 1199, resetSeconds: 60 },
      { work: 'fetch', policy: { points: 120, windowSeconds: 60 }, remaining: 0, resetSeconds: 17 },
    ]);
    expect(fields).toEqual({
      'ratelimit-policy': '"request";q=1200;w=60, "fetch";q=120;w=60',
      ratelimit: '"request";r=1199;t=60, "fetch";r=0;t=17',
    });
  });

  it('are absent when nothing was charged, because an empty list has no form', () => {
    expect(rateLimitFields([])).toEqual({});
  });
});
