import type { RedisConnectionOptions } from '@bff/infra/redis/redis-client';
import type { Side } from '../../support/split/sides.js';

/** The servers of a run: one; three masters with a replica each; or a master, two replicas and three Sentinels. */
export const topologies = ['standalone', 'cluster', 'sentinel'] as const;
export type Topology = (typeof topologies)[number];

/** How a process reaches Redis, as options of `createRedisClient`, on one side of a possible split. */
export type RedisPlace = (side: Side) => RedisConnectionOptions;
