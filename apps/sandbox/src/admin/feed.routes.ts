import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { SAFE_HEADERS } from '../edge/foreign-requests.js';
import type { SandboxParts } from '../sandbox-parts.js';
import { faultsInForce } from './faults.js';
import type { FeedEntry } from './feed.js';

/** How often every client of the feed receives the status. */
const STATUS_MS = 1_000;
/**
 * Maximum number of bytes that may wait for a slow client; then its connection is cut. When the client connects again,
 * it resumes after the last entry that it received, with the entries that are still kept.
 */
const LAG_BYTES_MAX = 1_000_000;

/** The query of `GET /sandbox/feed.json`. */
const after = z.object({ after: z.coerce.number().int().min(0).default(0) });

/**
 * `GET /sandbox/feed.json?after=<id>`: the kept entries after this one, the id of the newest, and the status, for a
 * client that asks again and again.
 *
 * `GET /sandbox/feed`: events, faults and the status as server-sent events. It begins with the kept entries, only those
 * after `Last-Event-ID` if the request has that header.
 *
 * After an id of an earlier run come all entries that this run keeps.
 */
export function feedRoutes(app: FastifyInstance, parts: SandboxParts): void {
  const open = new Set<ServerResponse>();
  app.addHook('preClose', (done) => {
    for (const response of open) response.end();
    done();
  });
  app.get('/sandbox/feed.json', (request, reply) => {
    const { newestId } = parts.feed;
    const asked = after.safeParse(request.query);
    if (!asked.success) return reply.code(400).send({ message: 'after has to be the id of an entry, or 0' });
    const entries = parts.feed.after(asked.data.after);
    return reply.header('cache-control', 'no-store').send({ status: statusOf(parts), newestId, entries });
  });
  app.get('/sandbox/feed', (request, reply) => {
    reply.hijack();
    const response = reply.raw;
    response.writeHead(200, { ...SAFE_HEADERS, 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const send = (text: string): void => {
      if (response.writableLength > LAG_BYTES_MAX) response.destroy();
      else response.write(text);
    };
    const sendEntry = (entry: FeedEntry): void =>
      send(`id: ${entry.id}\nevent: ${entry.kind}\ndata: ${JSON.stringify(entry)}\n\n`);
    const sendStatus = (): void => send(`event: status\ndata: ${JSON.stringify(statusOf(parts))}\n\n`);
    parts.feed.after(Number(request.headers['last-event-id'] ?? 0) || 0).forEach(sendEntry);
    sendStatus();
    const stopWatching = parts.feed.watch(sendEntry);
    const timer = setInterval(sendStatus, STATUS_MS).unref();
    open.add(response);
    response.on('close', () => {
      clearInterval(timer);
      stopWatching();
      open.delete(response);
    });
  });
}

/** The current status: the org's time, the numbers of sessions, streams and delivered events, the faults in force. */
export function statusOf(parts: SandboxParts): Record<string, unknown> {
  return {
    now: new Date(parts.org.clock.now()).toISOString(),
    cometdSessions: parts.cometd.sessionCount,
    pubSubStreams: parts.pubSub.streamCount,
    deliveredEvents: parts.allocation.used,
    faults: faultsInForce(parts),
  };
}
