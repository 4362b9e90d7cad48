import { createFleet } from '@bff/infra/fleet/create-fleet';
import type { RawEnvironment } from '@bff/infra/config/read-environment';
import { loadConfig } from '../config/load-config.js';
import { describe, expect, it } from '@jest/globals';
import { cacheOptions } from './cache-options.js';

const options = (env: RawEnvironment) => cacheOptions(loadConfig(env), null, createFleet());
const bound = (env: RawEnvironment) => options(env).safetyTtlSeconds;
const boundWhileLost = (env: RawEnvironment) => options(env).feedLostMaxAgeSeconds;

describe('the age of change-driven entries', () => {
  it('has no bound while events announce changes, unless one is set', () => {
    expect(bound({})).toBe(0);
    expect(bound({ CACHE_SAFETY_TTL_SECONDS: '300' })).toBe(300);
  });

  it('has one when events are switched off', () => {
    expect(bound({ SF_EVENTS_ENABLED: 'false' })).toBe(60);
    expect(bound({ SF_EVENTS_ENABLED: 'false', CACHE_SAFETY_TTL_SECONDS: '300' })).toBe(60);
    expect(bound({ SF_EVENTS_ENABLED: 'false', CACHE_SAFETY_TTL_SECONDS: '30' })).toBe(30);
    expect(bound({ SF_EVENTS_ENABLED: 'false', SF_STREAM_LOST_MAX_AGE_SECONDS: '20' })).toBe(20);
  });

  it('has one while nobody follows the events, and the same for what was stored before they were switched off', () => {
    expect(boundWhileLost({})).toBe(60);
    expect(boundWhileLost({ SF_STREAM_LOST_MAX_AGE_SECONDS: '20', CACHE_SAFETY_TTL_SECONDS: '300' })).toBe(20);
    expect(boundWhileLost({ SF_EVENTS_ENABLED: 'false' })).toBe(60);
    expect(boundWhileLost({ SF_EVENTS_ENABLED: 'false', CACHE_SAFETY_TTL_SECONDS: '300' })).toBe(60);
  });
});

it.each([
  ['production', false],
  ['development', true],
  ['test', true],
])(
  '[B12] values that JSON changes are refused while a mistake can be mended, not in front of customers: %s',
  (env, isRefused) => {
    const { app, ...config } = loadConfig({});
    const inEnvironment = { ...config, app: { ...app, environment: env } } as ReturnType<typeof loadConfig>;
    expect(cacheOptions(inEnvironment, null, createFleet()).shouldRefuseUnplainValues).toBe(isRefused);
  },
);
