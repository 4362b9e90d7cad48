import { readdirSync, readFileSync } from 'node:fs';
import { RateLimitedError } from '@bff/infra/limits/limits.errors';
import { SalesforceError } from '@bff/integrations/salesforce/salesforce.errors';
import { describe, expect, it } from '@jest/globals';
import { problem, ProblemError } from './problem.js';
import { ANSWERED_CODES, problemOfError } from './problem-of-error.js';
import { refusalOf, TOLD_BY } from './refusals.js';

const SOURCES = 'apps/bff/src';
/** These problems have a code, and the table has the code. */
const BY_CODE = ['rate-limited'];

const sources = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
  .map((file) => readFileSync(`${SOURCES}/${file}`, 'utf8'));
/** Every call of `problem(status, 'kind', …)`, as its status and kind are written. */
const problems = sources
  .flatMap((text) => [...text.matchAll(/\bproblem\(\s*(\w+),\s*([^,]+),/g)])
  .filter(([whole]) => !whole.includes('status: number'));
const named = problems.flatMap(([, status = '', kind = '']) => {
  const name = /^'([a-z-]+)'$/.exec(kind)?.[1];
  return name === undefined ? [] : [{ status, name }];
});

describe('[C7] what tells of a refusal', () => {
  it('is decided for every problem that has a kind or a code, and for no other', () => {
    const kinds = named.map(({ name }) => name).filter((name) => !BY_CODE.includes(name));
    // The kinds of a full process and of one that cannot know are passed by name.
    const all = new Set([...kinds, ...ANSWERED_CODES, 'RATE_LIMITED', 'no-event-stream', 'event-streams-full']);
    expect(Object.keys(TOLD_BY).sort()).toEqual([...all].sort());
    const passed = problems.map(([, , kind]) => kind).filter((kind) => kind && !kind.startsWith("'"));
    expect(passed.sort()).toEqual(['kind', 'kind', 'kindOf(code)', 'kindOf(title)']);
  });

  it('is the audit for everything that is answered with 401, 403 or 429', () => {
    const refused = named.filter(({ status, name }) => /^(401|403|429)$/.test(status) && !BY_CODE.includes(name));
    expect(refused.length).toBeGreaterThanOrEqual(5);
    for (const { name } of refused) expect([name, TOLD_BY[name]]).toEqual([name, expect.stringContaining('.')]);
  });

  it.each(ANSWERED_CODES.filter((code) => /OVERLOADED|QUOTA|LIMIT/.test(code)))(
    'is the audit for %s, which is a limit',
    (code) => expect(TOLD_BY[code]).toBe('limit.reached'),
  );

  it('names the policy, the limit or the reason', () => {
    const of = (error: unknown) => refusalOf(error, problemOfError(error));
    expect(of(new RateLimitedError('write', 3, 'a'))).toEqual({
      event: 'rate.limited',
      detail: { policy: 'write', status: 429 },
    });
    expect(of(new SalesforceError('SALESFORCE_QUOTA_RESERVED', 'few are left'))).toEqual({
      event: 'limit.reached',
      detail: { limit: 'SALESFORCE_QUOTA_RESERVED', status: 503, why: 'few are left' },
    });
    const denied = new ProblemError(problem(401, 'operator-only', 'For operators'), {}, { reason: 'no token' });
    expect(of(denied)).toEqual({ event: 'operator.denied', detail: { reason: 'no token', status: 401 } });
    expect(of(new SalesforceError('SALESFORCE_TIMEOUT', 'too slow'))).toBeUndefined();
    expect(of(new ProblemError(problem(404, 'order-not-found', 'No such order')))).toBeUndefined();
  });
});
