import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { runForCaller } from '../callers/caller.js';
import { LINES_MAX } from './line-budget.js';
import { Audit, AUDIT_LEVELS, type AuditEvent } from './audit.js';

it('[C7] the page on logs lists each audit event with its level', () => {
  const page = readFileSync('docs/operating/logs.md', 'utf8');
  const rows = [...page.matchAll(/^\| `([a-z.-]+)` \| (info|warn) \|/gm)].map(([, event, level]) => [event, level]);
  expect(Object.fromEntries(rows)).toEqual(AUDIT_LEVELS);
});

it.each(Object.entries(AUDIT_LEVELS))('[C7] %s is a line at %s', (event, level) => {
  const written = jest.spyOn(Logger.prototype, level === 'warn' ? 'warn' : 'log').mockImplementation(() => undefined);
  new Audit().record(event as AuditEvent, { reason: 'a word of ours', audit: 'something else' });
  expect(written.mock.calls).toEqual([[{ reason: 'a word of ours', audit: event }, event]]);
  written.mockRestore();
});

describe('[C7] lines that are left out', () => {
  const alice = { subject: 'a', account: '1' };
  let lines: [Record<string, unknown>, string][];
  let audit: Audit;
  beforeEach(() => {
    lines = [];
    const write = (line: unknown, message: unknown) => void lines.push([line as never, message as string]);
    for (const level of ['warn', 'log'] as const) jest.spyOn(Logger.prototype, level).mockImplementation(write);
    audit = new Audit();
    audit.onModuleInit();
  });
  afterEach(() => {
    audit.onApplicationShutdown();
    jest.restoreAllMocks();
  });

  it('have one line at the end, which says whose they were, how many, why and when', () => {
    for (let i = 0; i < LINES_MAX + 5; i++)
      runForCaller(alice, () => audit.record('rate.limited', { policy: i % 2 ? 'fetch' : 'request' }));
    audit.onApplicationShutdown();
    expect(lines).toHaveLength(LINES_MAX + 1);
    expect(lines.at(-1)).toEqual([
      {
        audit: 'rate.limited',
        leftOut: 5,
        reasons: { request: 3, fetch: 2 },
        from: expect.stringMatching(/^\d{4}-.*Z$/),
        to: expect.stringMatching(/^\d{4}-.*Z$/),
        ...alice,
      },
      'rate.limited: 5 lines left out',
    ]);
  });

  it.each(['order.placed', 'order.outcome-unknown', 'webhook.applied'] as const)('are none of %s', (event) => {
    for (let i = 0; i < LINES_MAX + 5; i++) audit.record(event, { order: `${i}` });
    audit.onApplicationShutdown();
    expect(lines).toHaveLength(LINES_MAX + 5);
  });
});
