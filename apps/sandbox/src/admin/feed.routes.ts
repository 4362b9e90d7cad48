import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { SandboxParts } from '../sandbox-parts.js';
import { faultsInForce } from './faults.js';
import type { FeedEntry } from './feed.js';

/** How often watchers receive the status. */
const STATUS_MS = 1_000;
/**
 * Maximum bytes that a watcher may lag; beyond it the connection is cut. The watcher reconnects and resumes where it
 * was.
 */
const LAG_BYTES_MAX = 1_000_000;

/**
 * `GET /sandbox/feed`: events, faults and the status as server-sent events, from the entry after `Last-Event-ID` on.
 */
export function feedRoutes(app: FastifyInstance, parts: SandboxParts): void {
  const open = new Set<ServerResponse>();
  app.addHook('preClose', (done) => {
    for (const response of open) response.end();
    done();
  });
  app.get('/sandbox/feed', (request, reply) => {
    reply.hijack();
    const response = reply.raw;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
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

/** The current status: listeners, the org's clock, delivered events, faults in force. */
export function statusOf(parts: SandboxParts): Record<string, unknown> {
  return {
    now: new Date(parts.org.clock.now()).toISOString(),
    cometdSessions: parts.cometd.sessionCount,
    pubSubStreams: parts.pubSub.streamCount,
    deliveredEvents: parts.allocation.used,
    faults: faultsInForce(parts),
  };
}
