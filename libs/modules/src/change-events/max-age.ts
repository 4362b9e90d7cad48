import type { AppConfig } from '@bff/infra/config/app-config';

/**
 * Seconds that a change-driven entry lives at most; 0 means none but a change. With events switched off nothing announces
 * changes, so it is no more than the bound for a lost stream.
 */
export function changeDrivenMaxAgeSeconds({ events, cache }: Pick<AppConfig, 'events' | 'cache'>): number {
  if (events.enabled) return cache.safetyTtlSeconds;
  return Math.min(cache.feedLostMaxAgeSeconds, cache.safetyTtlSeconds || Infinity);
}
