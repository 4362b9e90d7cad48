import type { AppConfig } from '../config/app-config.js';

/**
 * Maximum age of a change-driven entry in seconds; 0: only a change ends it. With events switched off no change is
 * announced, so the bound for a lost stream applies as well.
 */
export function changeDrivenMaxAgeSeconds({ events, cache }: Pick<AppConfig, 'events' | 'cache'>): number {
  if (events.enabled) return cache.safetyTtlSeconds;
  return Math.min(cache.feedLostMaxAgeSeconds, cache.safetyTtlSeconds || Infinity);
}
