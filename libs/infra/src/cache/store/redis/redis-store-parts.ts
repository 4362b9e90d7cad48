import { PrimaryVouch, topologyOf } from '../../../redis/primary-vouch.js';
import { RedisBus } from './bus/redis-bus.js';
import { channelPatterns } from './connection/cache-needs.js';
import { PermissionWatch } from './connection/permission-watch.js';
import { RedisGuard, type ServerCheck } from './connection/redis-guard.js';
import { examineServer } from './connection/server-examination.js';
import { examinedEntry } from './entries/examined-entry.js';
import { ReadBatch } from './entries/read-batch.js';
import { AcknowledgedInvalidations } from './invalidation/acknowledged-invalidations.js';
import { LEASE_TIMES } from './l1/l1-leases.js';
import { PartitionHistories } from './partition/partition-histories.js';
import { PartitionScripts } from './partition/partition-scripts.js';
import { Partitions } from './partition/partition.js';
import { defineScripts } from './partition/scripts.js';
import type { ResolvedRedisCacheStoreOptions } from './redis-cache-store.options.js';

/** The parts of a `RedisCacheStore`. Nothing is sent before they are opened. */
export interface RedisStoreParts {
  readonly guard: RedisGuard;
  readonly partitions: Partitions;
  readonly histories: PartitionHistories;
  readonly permissions: PermissionWatch;
  readonly vouch: PrimaryVouch;
  readonly scripts: PartitionScripts;
  readonly invalidations: AcknowledgedInvalidations;
  /** By the partition's index. */
  readonly reads: readonly ReadBatch[];
  readonly bus: RedisBus;
  /** Examines a server before it is used, at every connection. */
  readonly examine: ServerCheck;
}

/** Makes the parts in the order of their needs: each receives parts that were made before it. */
export function composeRedisStore(options: ResolvedRedisCacheStoreOptions): RedisStoreParts {
  const { redis, appName, onSplit } = options;
  defineScripts(redis);
  const partitions = new Partitions(appName, options.partitions);
  const guard = new RedisGuard(redis);
  const onRefused = (reason: string) => guard.suspect(reason);
  const permissions = new PermissionWatch(redis, appName, partitions, onRefused);
  const histories = new PartitionHistories(guard, partitions);
  const gates = partitions.all.map(({ gateKey }) => gateKey);
  const vouch = new PrimaryVouch(topologyOf(redis, gates), {
    onSplit,
    vouchMs: LEASE_TIMES.leaseMs,
    isAway: () => guard.reason !== undefined,
    onLost: () => guard.tellOutage(),
  });
  guard.onOutage(() => vouch.doubt());
  for (const partition of partitions.all) partition.trust = vouch.trustOf(partition.index);
  const scripts = new PartitionScripts(guard, histories);
  const invalidations = new AcknowledgedInvalidations(guard, scripts, partitions, options, vouch);
  const reads = partitions.all.map((partition) => {
    const examine = (key: string) => examinedEntry(scripts, partition, key);
    return new ReadBatch(guard, partition, examine, histories, invalidations.l1);
  });
  const { channel, listeners } = invalidations;
  const onInvalidation: typeof listeners.onInvalidation = (partition, invalidation) => {
    if (!partition.history.hear(invalidation)) void histories.settle(partition);
    listeners.onInvalidation(partition, invalidation);
  };
  const access = { patterns: channelPatterns(appName), onRefused };
  const bus = new RedisBus(redis, partitions, channel, { ...listeners, onInvalidation }, access);
  const examine: ServerCheck = async () => {
    const reason = await permissions.examine();
    if (reason !== undefined) return { reason, isPassing: true };
    return examineServer(redis, appName, partitions, histories);
  };
  return { guard, partitions, histories, permissions, vouch, scripts, invalidations, reads, bus, examine };
}
