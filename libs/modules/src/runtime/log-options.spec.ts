import { RequestLines } from '@bff/infra/logging/request-lines';
import { describe, expect, it } from '@jest/globals';
import { pino, type DestinationStream, type LoggerOptions } from 'pino';
import type { AppConfig } from '../config/app-config.js';
import { logOptions } from './log-options.js';

const SECRET = 'Zw7-kQ2vLm9xTr4bNc8d';
/** Half of it is before the bound of a message. */
const AT_THE_CUT = `${'x '.repeat(1_019)}${SECRET} and more ${'y '.repeat(5_000)}`;

/** The fields of the line that the application logs for an error. */
function logged(error: unknown, message = 'it failed') {
  const lines: string[] = [];
  const config = { app: { name: 'bff', logLevel: 'info', environment: 'production' }, secrets: [SECRET] };
  const destination = { write: (line: string) => void lines.push(line) };
  const { pinoHttp } = logOptions(config as unknown as AppConfig, new RequestLines(), destination);
  const [options, stream] = pinoHttp as [LoggerOptions, DestinationStream];
  pino(options, stream).error({ err: error }, message);
  const [line = ''] = lines;
  return { line, err: (JSON.parse(line) as { err: { message: string; stack: string } }).err };
}

describe('[C7] an error in the lines of the application', () => {
  it('shows no part of a secret that lies across the bound of its message', () => {
    const { line, err } = logged(new Error(AT_THE_CUT, { cause: AT_THE_CUT }));
    expect(err.message).toMatch(/x \[secret\]/);
    expect(err.message.length).toBeLessThan(2_048 + 32);
    expect(line).not.toContain(SECRET.slice(0, 4));
  });

  it('shows no part of a secret that lies across the bound of its stack', () => {
    const error = new Error('x');
    error.stack = `Error: ${'x '.repeat(2_040)}${SECRET} ${'y '.repeat(5_000)}`;
    const { line, err } = logged(error);
    expect(err.stack.length).toBeLessThan(4_096 + 32);
    expect(line).not.toContain(SECRET.slice(0, 4));
  });

  it('shows no part of a secret at the end of what is read, when masking has shortened what is before it', () => {
    const keys = `-----BEGIN PRIVATE KEY-----${'k'.repeat(5_000)}-----END PRIVATE KEY-----`;
    const read = 2_048 + 4_096;
    const { line } = logged(new Error(`${keys}${' '.repeat(read - keys.length - 10)}${SECRET}${' z'.repeat(5_000)}`));
    expect(line).not.toContain(SECRET.slice(0, 4));
  });

  it('is the same after it was masked twice', () => {
    const { err } = logged(new Error('password=hunter2 access_token: "abc" = \'name\' https://u:p@host/ a@b.de'));
    expect(err.message).toBe('password=[masked] access_token: "[masked]" = \'…\' https://****@host/ [e-mail]');
  });
});
