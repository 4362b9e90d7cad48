import type { AppConfig } from '@bff/infra/config/app-config';

/** As long as an entry may be served while nothing announces changes, where nobody has set a bound. */
const WITHOUT_EVENTS_MAX_AGE_SECONDS = 60;

/**
 * Seconds that a change-driven entry lives at most; 0 means none but a change. With events switched off nothing announces
 * changes, so there is always a bound.
 */
export function changeDrivenMaxAgeSeconds({ events, cache }: Pick<AppConfig, 'events' | 'cache'>): number {
  if (events.enabled || cache.safetyTtlSeconds > 0) return cache.safetyTtlSeconds;
  return WITHOUT_EVENTS_MAX_AGE_SECONDS;
}
