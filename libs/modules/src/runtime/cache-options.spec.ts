import { loadConfig, type RawEnvironment } from '@bff/infra/config/load-config';
import { describe, expect, it } from '@jest/globals';
import { cacheOptions } from './cache-options.js';

const bound = (env: RawEnvironment) => cacheOptions(loadConfig(env), null).safetyTtlSeconds;

describe('the age of change-driven entries', () => {
  it('has no bound while events announce changes, unless one is set', () => {
    expect(bound({})).toBe(0);
    expect(bound({ CACHE_SAFETY_TTL_SECONDS: '300' })).toBe(300);
  });

  it('has one when events are switched off', () => {
    expect(bound({ SF_EVENTS_ENABLED: 'false' })).toBe(60);
    expect(bound({ SF_EVENTS_ENABLED: 'false', CACHE_SAFETY_TTL_SECONDS: '300' })).toBe(300);
  });
});
