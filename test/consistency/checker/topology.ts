import type { HostAndPort } from '@bff/infra/config/value-kinds';

/** What the Redis of a run is made of: one server; three masters with a replica each; a master, two replicas, three Sentinels. */
export const topologies = ['standalone', 'cluster', 'sentinel'] as const;
export type Topology = (typeof topologies)[number];

/** Where the processes of a run find it, as `createRedisClient` takes it. */
export type RedisPlace =
  | { readonly url: string }
  | { readonly clusterNodes: readonly HostAndPort[] }
  | { readonly sentinels: readonly HostAndPort[]; readonly sentinelName: string };
