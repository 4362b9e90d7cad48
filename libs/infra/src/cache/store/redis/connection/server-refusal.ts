import { Cluster, type Redis } from 'ioredis';
import { sentence } from '../../../../redis/permission-examination.js';
import { StoreUnavailableError } from '../../../cache.errors.js';
import type { RedisConnection } from '../partition/scripts.js';

const OLDEST_MAJOR = 7;

/** Why a server must not be used. If `isPassing`, `open` does not reject for it. */
export interface Refusal {
  readonly reason: string;
  readonly isPassing: boolean;
}

/** The address leads to a replica, or the primary was demoted. */
export const REPLICA: Refusal = {
  reason: 'this Redis is a replica: the cache is read from the primary only',
  isPassing: true,
};

/**
 * Why the `INFO` of a server forbids its use; undefined if it does not. An `allkeys-*` policy may evict an index, and
 * without it an invalidation leaves old values in use; a replica may lag behind an acknowledged invalidation.
 */
export function serverRefusal(info: string): Refusal | undefined {
  const version = /redis_version:(\d+)\.(\S+)/.exec(info);
  if (version && Number(version[1]) < OLDEST_MAJOR) {
    const reason = `Redis ${version[1]}.${version[2]} is too old: the cache needs ${OLDEST_MAJOR}.0 or later`;
    return { reason, isPassing: false };
  }
  const policy = /maxmemory_policy:(\S+)/.exec(info)?.[1];
  if (policy?.startsWith('allkeys-')) {
    const reason = `Redis runs with maxmemory-policy ${policy}, which may evict the index of the cache: set noeviction or volatile-lru`;
    return { reason, isPassing: false };
  }
  return /role:slave/.test(info) ? REPLICA : undefined;
}

/**
 * The first reason why one of the servers behind this connection must not be used: every known master of a Cluster, or
 * the one server. A master that does not answer refuses nothing, as long as another one answers; then rejects as the
 * first of them.
 */
export async function serverRefusalOf(redis: RedisConnection): Promise<Refusal | undefined> {
  const servers: readonly Redis[] = redis instanceof Cluster ? redis.nodes('master') : [redis];
  if (servers.length === 0) throw new StoreUnavailableError('no master of the cluster is known');
  const answers = await Promise.allSettled(servers.map((server) => server.info('server', 'memory', 'replication')));
  const errors = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as Error] : []));
  if (errors.some(({ message }) => message.startsWith('NOPERM ')))
    return { reason: sentence(redis, ['+info']), isPassing: true };
  if (errors.length === answers.length) throw errors[0] as Error;
  for (const answer of answers) {
    const refusal = answer.status === 'fulfilled' ? serverRefusal(answer.value) : undefined;
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}
