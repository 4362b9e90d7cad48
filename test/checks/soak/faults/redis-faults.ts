import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { elapse } from '../../../support/eventually.js';
import type { RedisServer } from '../../../support/redis/redis-server.js';

/** How long the org goes on changing after the snapshot with which Redis comes back. */
const OLDER_MS = 700;

/** Ends Redis, and starts it empty, as it was at its end, or as it was `OLDER_MS` before its end. */
export async function restartRedis(server: RedisServer, as: 'empty' | 'saved' | 'older'): Promise<void> {
  const folder = await withAdmin(server, async (admin) => {
    const [, dir = ''] = (await admin.config('GET', 'dir')) as [string, string];
    if (as !== 'empty') await admin.save();
    return dir;
  });
  const snapshot = join(folder, 'dump.rdb');
  if (as === 'empty') await rm(snapshot, { force: true });
  if (as === 'older') await elapse(OLDER_MS);
  await server.restart();
  await rm(snapshot, { force: true });
}

/** Stops Redis for this time, so that it answers no call. */
export async function stopRedis(server: RedisServer, ms: number): Promise<void> {
  server.pause();
  try {
    await elapse(ms);
  } finally {
    server.resume();
  }
}

async function withAdmin<T>({ url }: RedisServer, work: (admin: Redis) => Promise<T>): Promise<T> {
  const admin = new Redis(url, { retryStrategy: () => 50 });
  admin.on('error', () => undefined); // the soak stops and restarts the server
  try {
    return await work(admin);
  } finally {
    admin.disconnect();
  }
}
