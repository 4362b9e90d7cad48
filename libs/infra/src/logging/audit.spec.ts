import { readFileSync } from 'node:fs';
import { expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
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
