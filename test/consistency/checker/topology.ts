import type { RedisConnectionOptions } from '@bff/infra/redis/redis-client';
import type { Side } from '../../support/split/sides.js';

/** What the Redis of a run is made of: one server; three masters with a replica each; a master, two replicas, three Sentinels. */
export const topologies = ['standalone', 'cluster', 'sentinel'] as const;
export type Topology = (typeof topologies)[number];

/** Where a process finds it, as `createRedisClient` takes it: on one side of what can be split. */
export type RedisPlace = (side: Side) => RedisConnectionOptions;
