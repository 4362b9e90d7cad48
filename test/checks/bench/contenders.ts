import type { Contender } from './contender.js';
import { evergreen } from './evergreen.js';
import { asyncCacheDedupe } from './peers/async-cache-dedupe.js';
import { bentocache } from './peers/bentocache.js';
import { cacheManager } from './peers/cache-manager.js';
import { cacheable } from './peers/cacheable.js';
import { layeredLoader } from './peers/layered-loader.js';

/** All contenders; Evergreen first. */
export const contenders: readonly Contender[] = [
  evergreen,
  bentocache,
  asyncCacheDedupe,
  layeredLoader,
  cacheManager,
  cacheable,
];

/** The contender of this name. */
export function contenderNamed(name: string): Contender {
  const found = contenders.find((contender) => contender.name === name);
  if (!found) throw new Error(`there is no contender called ${name}`);
  return found;
}
