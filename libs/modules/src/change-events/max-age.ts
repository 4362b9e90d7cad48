import type { AppConfig } from '@bff/infra/config/app-config';

/**
 * Seconds that a change-driven entry lives at most; 0 means none but a change. With events switched off nothing announces
 * changes, so there is always a bound: the one for a lost stream, unless another was set.
 */
export function changeDrivenMaxAgeSeconds({ events, cache }: Pick<AppConfig, 'events' | 'cache'>): number {
  if (events.enabled || cache.safetyTtlSeconds > 0) return cache.safetyTtlSeconds;
  return cache.feedLostMaxAgeSeconds;
}
