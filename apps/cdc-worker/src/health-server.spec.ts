import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { Operators } from '@bff/infra/health/operators';
import { Readiness } from '@bff/infra/health/readiness';
import { Audit } from '@bff/infra/logging/audit';
import { EventsHealthService } from '@bff/modules/change-events/events-health.service';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger, type INestApplicationContext } from '@nestjs/common';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { createHealthServer } from './health-server.js';

let server: FastifyInstance;
let answer: () => Promise<object>;
let logged: unknown[][];
let recorded: unknown[][];

beforeEach(() => {
  answer = () => Promise.resolve({ status: 'up' });
  logged = [];
  recorded = [];
  jest.spyOn(Logger.prototype, 'error').mockImplementation((...line) => void logged.push(line));
  const parts = new Map<unknown, unknown>([
    [Readiness, { current: 'ready' }],
    [EventsHealthService, { answer: () => answer() }],
    [Operators, new Operators({ token: 'o'.repeat(32), addresses: [] })],
    [Audit, { record: (...event: unknown[]) => void recorded.push(event) }],
  ]);
  server = createHealthServer({ get: (part: unknown) => parts.get(part) } as INestApplicationContext);
});
afterEach(async () => {
  jest.restoreAllMocks();
  await server.close();
});

const operator = { authorization: `Bearer ${'o'.repeat(32)}` };
const ask = (url: string, options: InjectOptions = {}) => server.inject({ url, ...options });

describe("the worker's health port", () => {
  it.each([
    ['GET', '/nowhere', 404, 'not-found'],
    ['POST', '/nowhere', 404, 'not-found'],
    ['POST', '/health/live', 405, 'method-not-allowed'],
    ['DELETE', '/health/sf-events?x=1', 405, 'method-not-allowed'],
    ['GET', '/health/sf-events', 401, 'operator-only'],
    ['GET', '/health/%zz', 400, 'bad-request'],
  ] as const)('answers %s %s with %i, a problem that has the id of the request', async (method, url, status, kind) => {
    const given = await ask(url, { method, headers: { 'x-request-id': 'trace-1' } });
    const problem = given.json();
    expect([given.statusCode, given.headers['content-type']]).toEqual([
      status,
      'application/problem+json; charset=utf-8',
    ]);
    expect(problem).toEqual({
      type: `urn:evergreen:problem:${kind}`,
      title: expect.any(String),
      status,
      detail: expect.any(String),
      instance: url.replace(/\?.*/, ''),
      requestId: given.headers['x-request-id'],
    });
    expect(problem.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('names the methods of an address, and repeats the id that the caller gave', async () => {
    const refused = await ask('/health/ready', { method: 'PUT', payload: { x: 1 } });
    const told = await ask('/health/ready', { method: 'OPTIONS', headers: { 'x-request-id': 'trace-1' } });
    expect([refused.statusCode, refused.headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS']);
    expect([told.statusCode, told.headers.allow, told.body]).toEqual([204, 'GET, HEAD, OPTIONS', '']);
    expect(told.headers['x-client-request-id']).toBe('trace-1');
    expect((await ask('/health/ready', { method: 'HEAD' })).statusCode).toBe(200);
  });

  it('shows nothing of an error of ours, which the log has with the same id', async () => {
    const error = new Error('connect ECONNREFUSED 10.1.2.3:6379');
    answer = () => Promise.reject(error);
    const given = await ask('/health/sf-events', { headers: operator });
    expect([given.statusCode, given.json().type]).toEqual([500, 'urn:evergreen:problem:internal-error']);
    expect(given.body).not.toContain('ECONNREFUSED');
    expect(logged).toEqual([[{ err: error, requestId: given.json().requestId }, 'answered 500']]);
  });

  it('[C7] [C11] records each one who asks for the change events and is no operator', async () => {
    const answers = [
      await ask('/health/sf-events'),
      await ask('/health/sf-events', { headers: { authorization: `Bearer ${'x'.repeat(32)}` } }),
      await ask('/health/sf-events', { headers: operator }),
    ];
    const reasons = ['no token', 'not the token of an operator'];
    expect(recorded).toEqual(
      reasons.map((reason, n) => [
        'operator.denied',
        { reason, requestId: answers[n]?.headers['x-request-id'], status: 401, route: 'GET /health/sf-events' },
      ]),
    );
    expect(answers[2]?.statusCode).toBe(200);
  });

  it('answers what is no request', async () => {
    await server.listen({ host: '127.0.0.1', port: 0 });
    const socket = connect((server.server.address() as { port: number }).port, '127.0.0.1');
    socket.end('nonsense\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\ncontent-type: application\/problem\+json/);
  });
});
