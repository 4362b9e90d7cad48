import type { Policies } from '../limits.js';
import { MeteredLimits } from '../metered-limits.js';
import { LocalLimiter } from './local-limiter.js';

/** Limits of an application that is a single process. They end with it. */
export class MemoryLimits extends MeteredLimits {
  constructor(policies: Policies) {
    super(policies, {
      request: new LocalLimiter(policies.request),
      fetch: new LocalLimiter(policies.fetch),
      write: new LocalLimiter(policies.write),
      stream: new LocalLimiter(policies.stream),
    });
  }
}
