import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CacheService } from '@bff/infra/cache/cache.service';
import { NoticeBoard } from '@bff/infra/notices/notice-board';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EventStream } from '../../../apps/bff/src/events/event-stream.js';
import { ResponseOutlet } from '../../../apps/bff/src/events/response-outlet.js';
import { eventually } from '../../support/eventually.js';
import { EventReader } from '../../support/event-reader.js';
import { NotifiedPortal } from './support/notified-portal.js';
import { IDS } from './support/recorded-org.js';

let portal: NotifiedPortal;
afterEach(() => portal.close());

const health = async () => {
  const { details } = (await (await fetch(`${portal.bffs[0]?.url}/health`)).json()) as {
    details: Record<string, Record<string, unknown>>;
  };
  return details['browser-events'];
};

describe('a stream', () => {
  it('needs a token in the header, and takes none from the URL', async () => {
    portal = await NotifiedPortal.embedded();
    const { authorization = '' } = await portal.bearer('alice');
    for (const path of ['/api/events', `/api/events?access_token=${authorization.slice(7)}`]) {
      const answer = await fetch(`${portal.bffs[0]?.url}${path}`);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        401,
        'application/problem+json; charset=utf-8',
      ]);
    }
  });

  it('has a head that nobody keeps, buffers or changes, and begins with how to come back', async () => {
    portal = await NotifiedPortal.embedded();
    const reader = await portal.listen('alice');
    expect(reader.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'private, no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-request-id': expect.any(String),
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    });
    expect(reader.events).toEqual([{ event: 'ready', id: expect.any(String), data: { isResumed: false } }]);
    expect(reader.retryMs).toBe(3000);
    const head = await fetch(`${portal.bffs[0]?.url}/api/events`, {
      method: 'HEAD',
      headers: await portal.bearer('alice'),
    });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(await health()).toMatchObject({ status: 'up', streams: 1 });
  });

  it('shows that it is alive, and where to resume although only others were notified', async () => {
    portal = await NotifiedPortal.embedded({ SSE_HEARTBEAT_MS: '1000' });
    const reader = await portal.listen('alice');
    const [before, comments] = [reader.lastEventId, reader.comments];
    await portal.bffs[0]?.app.get(NoticeBoard).publish([{ name: 'orders.changed', audience: `account:${IDS.bob}` }]);
    await eventually(() => reader.comments > comments);
    expect(reader.names).toEqual(['ready']);
    expect(reader.lastEventId).not.toBe(before);
    const again = await portal.listen('alice', 0, { 'last-event-id': reader.lastEventId as string });
    expect(again.events).toMatchObject([{ event: 'ready', data: { isResumed: true } }]);
  });

  it('ends with its token, saying so', async () => {
    portal = await NotifiedPortal.embedded();
    const reader = await portal.connect(0, await portal.bearer('alice', Math.floor(Date.now() / 1000) + 2));
    expect((await reader.next('closing')).data).toEqual({ reason: 'token-expired' });
    await reader.ended();
    expect(await health()).toMatchObject({ streams: 0 });
  });

  it('ends when its user does not act for the account any more', async () => {
    portal = await NotifiedPortal.embedded();
    const reader = await portal.listen('alice');
    const account = portal.org.accounts[0] as Record<string, unknown>;
    await portal.events.change('Account', IDS.alice, { changedFields: ['Phone'] });
    await reader.next('eligibility.changed');
    account['Portal_User_Id__c'] = 'carol';
    await portal.events.change('Account', IDS.alice, { changedFields: ['Portal_User_Id__c'] });
    expect((await reader.next('closing')).data).toEqual({ reason: 'account-changed' });
    await reader.ended();
  });

  it('[A4] ends so, too, when it is not known whose account changed, and no other stream does', async () => {
    portal = await NotifiedPortal.embedded();
    const [alice, bob] = [await portal.listen('alice'), await portal.listen('bob')];
    (portal.org.accounts[0] as Record<string, unknown>)['Portal_User_Id__c'] = 'carol';
    const overflow = { changeType: 'GAP_OVERFLOW', scope: 'entity', recordIds: [] } as const;
    await portal.events.change('Account', IDS.alice, overflow);
    expect((await alice.next('closing')).data).toEqual({ reason: 'account-changed' });
    await bob.next('eligibility.changed');
    expect(bob.hasEnded).toBe(false);
  });

  it('tells of many changes of a kind as of one', async () => {
    portal = await NotifiedPortal.embedded();
    const reader = await portal.listen('alice');
    for (let n = 0; n < 200; n++) await portal.events.change('Product2', IDS.fibre, { changedFields: ['Name'] });
    await portal.bffs[0]?.app.get(NoticeBoard).publish([{ name: 'last', audience: `account:${IDS.alice}` }]);
    await reader.next('last');
    expect(reader.events.length).toBeLessThan(20);
    expect((await health())?.['noticesSent']).toBe(reader.events.length - 1);
  });
});

describe('streams of one process', () => {
  it('are bounded for each account and in all, and room is made when one leaves', async () => {
    portal = await NotifiedPortal.embedded({ SSE_STREAMS_MAX: '3', SSE_STREAMS_PER_ACCOUNT_MAX: '2' });
    const status = async (user: string) => {
      const answer = await fetch(`${portal.bffs[0]?.url}/api/events`, { headers: await portal.bearer(user) });
      return [answer.status, answer.headers.get('retry-after'), ((await answer.json()) as { type: string }).type];
    };
    const [first] = [await portal.listen('alice'), await portal.listen('alice')];
    expect(await status('alice')).toEqual([429, '5', 'urn:evergreen:problem:too-many-streams']);
    await portal.listen('bob');
    expect(await status('bob')).toEqual([503, '5', 'urn:evergreen:problem:event-streams-full']);
    first.close();
    await eventually(async () => (await health())?.['streams'] === 2);
    await portal.listen('alice');
  });

  it('end with the process, in time, each with a last event, also those whose browser does not read', async () => {
    portal = await NotifiedPortal.embedded();
    const readers = [await portal.listen('alice'), await portal.listen('bob')];
    const deaf = await portal.listen('bob');
    deaf.response.pause();
    const [bff] = portal.bffs.splice(0) as [NotifiedPortal['bffs'][number]];
    const begin = performance.now();
    await bff.app.close();
    expect(performance.now() - begin).toBeLessThan(5_000);
    for (const reader of readers) {
      expect((await reader.next('closing')).data).toEqual({ reason: 'shutdown' });
      expect(reader.retryMs).toBeLessThanOrEqual(3000);
      await reader.ended();
    }
  });

  it('are refused while changes are not known, because the board has never been read', async () => {
    portal = await NotifiedPortal.onRedis({ REDIS_COMMAND_TIMEOUT_MS: '200' });
    await portal.redis?.kill();
    await portal.startBff();
    const answer = await fetch(`${portal.bffs[2]?.url}/api/events`, { headers: await portal.bearer('alice') });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    expect(portal.bffs[2]?.app.get(CacheService).state().status).toBe('down');
    await portal.redis?.restart();
    await eventually(() =>
      portal.listen('alice', 2).then(
        () => true,
        () => false,
      ),
    );
  });
});

describe('a browser that does not read', () => {
  let server: Server;
  afterEach(() => void server.close());

  it('is dropped as soon as too much waits for it, and told so if it reads after all', async () => {
    portal = await NotifiedPortal.embedded();
    let isOver: string | undefined;
    let stream: EventStream | undefined;
    server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', connection: 'close' });
      const options = { coalesceMs: 0, bufferMaxBytes: 65_536, retryMs: 3_000 };
      stream = new EventStream(new ResponseOutlet(response), options, (reason) => (isOver = reason ?? 'left'));
      stream.open([], '0', false);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const reader = await EventReader.open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {});
    await reader.next('ready');
    reader.response.pause();
    let written = 0;
    for (; isOver === undefined && written < 1_000_000; written++) {
      stream?.tell({ id: `${written}`, name: 'orders.changed', audience: 'a', at: 0 });
      if (written % 100 === 0) await new Promise(setImmediate);
    }
    expect(isOver).toBe('slow-consumer');
    reader.response.resume();
    await reader.ended();
    expect(reader.names.at(-1)).toBe('closing');
    expect(reader.events.length).toBeLessThanOrEqual(written + 2);
  });
});
