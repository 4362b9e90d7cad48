import { Metadata, status } from '@grpc/grpc-js';
import { describe, expect, it } from '@jest/globals';
import { ACTIONS, endOfCall, isRefusedByService } from './stream-faults.js';

function failed(code: status, errorCode?: string, details = 'It did not work. rpcId: 1'): Error {
  const metadata = new Metadata();
  if (errorCode !== undefined) metadata.set('error-code', errorCode);
  return Object.assign(new Error(`${code} ${details}`), { code, details, metadata });
}

const PREFIX = 'sfdc.platform.eventbus.grpc.';

// Every row of the table of errors (Pub/Sub API Guide, "Handling Errors"), and the reaction to it.
const TABLE: readonly [string, string][] = [
  ['subscription.fetch.replayid.corrupted', 'position-expired'],
  ['subscription.fetch.replayid.validation.failed', 'position-expired'],
  ['subscription.fetch.requested.events.invalid', 'failed'],
  ['subscription.fetch.topic.mismatch', 'failed'],
  ['subscription.fetch.overflow', 'failed'],
  ['subscription.fetch.request.invalid', 'failed'],
  ['subscription.fetch.replay.repeated', 'failed'],
  ['subscription.internal.error', 'failed'],
  ['subscription.limit.exceeded', 'limit'],
  ['subscription.topic.cannot.subscribe', 'topic-refused'],
  ['service.auth.error', 'auth'],
  ['service.auth.headers.invalid', 'auth'],
  ['service.auth.refresh.invalid', 'auth'],
  ['service.unavailable', 'failed'],
  ['service.protection.triggered', 'busy'],
  ['service.protection.stream.limit.triggered', 'busy'],
  ['service.tenant.license', 'topic-refused'],
  ['concurrent.client.limit.exceeded', 'busy'],
  ['topic.not.found', 'topic-refused'],
  ['topic.meta.permission', 'topic-refused'],
  ['topic.validation.empty', 'topic-refused'],
  ['topic.api.unavailable', 'failed'],
  ['schema.meta.permission', 'topic-refused'],
  ['schema.validation.failed', 'topic-refused'],
  ['schema.api.unavailable', 'failed'],
];

describe('the end of a stream', () => {
  it.each(TABLE)('by %s is %s, whatever its gRPC status, and the connection is kept', (suffix, kind) => {
    for (const code of [status.UNKNOWN, status.UNAVAILABLE, status.PERMISSION_DENIED]) {
      expect(endOfCall(failed(code, PREFIX + suffix))).toMatchObject({ kind, isBroken: false });
    }
  });

  it('is known for every code of the table', () => {
    expect(Object.keys(ACTIONS).sort()).toEqual(TABLE.map(([suffix]) => suffix).sort());
  });

  it.each([
    ['managed.subscription.already.active', 'topic-refused'],
    ['managed.subscription.config.deleted', 'topic-refused'],
    ['publish.event.count.invalid', 'failed'],
  ])('by %s, of a call that is not made, is %s', (suffix, kind) => {
    expect(endOfCall(failed(status.UNAUTHENTICATED, PREFIX + suffix)).kind).toBe(kind);
  });

  it('names the code even where it has no prefix', () => {
    expect(endOfCall(failed(status.UNKNOWN, 'service.tenant.license')).reason).toMatch(
      /^UNKNOWN service.tenant.license: /,
    );
  });

  it('is read from the words where the trailers say nothing', () => {
    const details = `The Replay ID validation failed. ${PREFIX}subscription.fetch.replayid.corrupted`;
    expect(endOfCall(failed(status.INVALID_ARGUMENT, undefined, details)).kind).toBe('position-expired');
  });

  it.each([
    [status.UNAUTHENTICATED, 'auth', false],
    [status.PERMISSION_DENIED, 'topic-refused', false],
    [status.NOT_FOUND, 'topic-refused', false],
    [status.UNIMPLEMENTED, 'topic-refused', false],
    [status.RESOURCE_EXHAUSTED, 'busy', false],
    [status.UNAVAILABLE, 'failed', true],
    [status.INTERNAL, 'failed', true],
    [status.DEADLINE_EXCEEDED, 'failed', true],
    [status.CANCELLED, 'failed', true],
    [status.UNKNOWN, 'failed', true],
  ])('by status %i alone is %s', (code, kind, isBroken) => {
    expect(endOfCall(failed(code))).toMatchObject({ kind, isBroken });
  });

  it('by a code that nobody has heard of goes by the status, and names the code', () => {
    expect(endOfCall(failed(status.UNAUTHENTICATED, `${PREFIX}service.auth.new`))).toMatchObject({
      kind: 'auth',
      reason: expect.stringContaining('UNAUTHENTICATED service.auth.new: It did not work'),
    });
  });

  it('by anything else is a failure', () => {
    expect(endOfCall(new TypeError('oh'))).toEqual({ kind: 'failed', reason: 'oh' });
  });
});

describe('a refusal by the service', () => {
  it.each([
    [failed(status.NOT_FOUND, `${PREFIX}schema.meta.permission`), true],
    [failed(status.UNKNOWN, `${PREFIX}schema.meta.permission`), true],
    [failed(status.PERMISSION_DENIED, `${PREFIX}schema.api.unavailable`), false],
    [failed(status.INVALID_ARGUMENT), true],
    [failed(status.UNAVAILABLE), false],
    [failed(status.UNAUTHENTICATED, `${PREFIX}service.auth.error`), false],
    [failed(status.PERMISSION_DENIED, `${PREFIX}service.auth.error`), false],
    [new Error('oh'), false],
  ])('is told from what passes: %s', (error, isRefusal) => {
    expect(isRefusedByService(error)).toBe(isRefusal);
  });
});
