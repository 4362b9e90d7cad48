import type { RateLimitedError } from '@bff/infra/limits/limits.errors';
import type { WorkClass } from '@bff/infra/limits/limits';
import { problem, type Problem } from './problem.js';

const REACHED: Readonly<Record<WorkClass, string>> = {
  request: 'You have made as many requests as one user may.',
  fetch: 'Your account has loaded as much new data as one account may for now.',
  write: 'Your account has made as many changes as one account may.',
  stream: 'You have opened as many event streams as one user may.',
};

/** The answer to a customer who has used up a limit: which one, and when to come back. */
export function rateLimited({ code, policy, retryAfterSeconds }: RateLimitedError): Problem {
  const seconds = retryAfterSeconds === 1 ? 'a second' : `${retryAfterSeconds} seconds`;
  return problem(429, 'rate-limited', 'Too many requests', `${REACHED[policy]} Try again in ${seconds}.`, {
    code,
    'violated-policies': [policy],
    retryAfterSeconds,
  });
}
