import { slotOf } from '../../support/redis/redis-cluster.js';
import { startRedisSentinels } from '../../support/redis/redis-sentinels.js';
import { startRedisServer } from '../../support/redis/redis-server.js';
import { ClusterSplit } from '../../support/split/cluster-split.js';
import { SentinelSplit } from '../../support/split/sentinel-split.js';
import { clientOf } from '../../support/split/sides.js';
import type { CheckedProcess } from './pool/checked-process.js';
import { ClusterFaults } from './faults/cluster-faults.js';
import type { FaultScene } from './faults/fault-scene.js';
import { SentinelFaults } from './faults/sentinel-faults.js';
import type { ServerFaults } from './faults/server-faults.js';
import { StandaloneFaults } from './faults/standalone-faults.js';
import { partitionTag } from './index-walk.js';
import type { RedisPlace, Topology } from './topology.js';

/** The Redis of a run: where its processes find it, and the faults that it supports. */
export interface CheckedStore {
  readonly place: RedisPlace;
  /**
   * The name of the application. For a Cluster it is chosen so that a partition lies among the first slots of a master,
   * which a reshard moves first.
   */
  readonly appName: string;
  faults(scene: FaultScene, readerOf: (target: number) => CheckedProcess | undefined): ServerFaults;
  /** The ports of the primaries that hold partitions, when all servers are whole. */
  primaries(): Promise<readonly number[]>;
  stop(): Promise<void>;
}

const APP_NAME = 'checked';
const DEBUG = ['--enable-debug-command', 'yes'];
const MASTERS = 3;
const SLOTS = 16_384;
const NAMES_TRIED = 20_000;

/** Guarantees whole servers when the promise resolves, and none left when this process ends, however it ends. */
export async function startCheckedStore(topology: Topology, partitions: number): Promise<CheckedStore> {
  switch (topology) {
    case 'standalone': {
      const redis = await startRedisServer({ args: DEBUG });
      return {
        place: () => ({ url: redis.url }),
        appName: APP_NAME,
        faults: (scene) => new StandaloneFaults(redis, scene),
        primaries: async () => [redis.port],
        stop: () => redis.stop(),
      };
    }
    case 'cluster': {
      const appName = nameWithLowSlots(partitions);
      const slots = slotsOfPartitions(appName, partitions);
      const split = await ClusterSplit.start({ args: DEBUG });
      const { cluster } = split;
      return {
        place: (side) => ({ clusterNodes: cluster.addresses, ...clientOf(side) }),
        appName,
        faults: (scene) => new ClusterFaults(split, slots, scene),
        primaries: async () => {
          const owners = await Promise.all(slots.map((slot) => cluster.masterOf(slot)));
          return [...new Set(owners.map(({ port }) => port))];
        },
        stop: () => split.stop(),
      };
    }
    case 'sentinel': {
      const group = await startRedisSentinels({ args: DEBUG });
      const split = await SentinelSplit.prepare(group);
      return {
        place: (side) => ({ sentinels: group.addresses, sentinelName: group.name, ...clientOf(side) }),
        appName: APP_NAME,
        faults: (scene, readerOf) => new SentinelFaults(group, split, readerOf, scene),
        primaries: async () => [(await group.currentMaster()).port],
        stop: () => group.stop(),
      };
    }
  }
}

function slotsOfPartitions(appName: string, partitions: number): number[] {
  return Array.from({ length: partitions }, (_, i) => slotOf(partitionTag(appName, partitions, i)));
}

/**
 * A reshard by redis-cli moves the lowest slots of a master one after the other, with or without keys. So this chooses,
 * of 20,000 names, the one with the partition nearest to the first slot of a master. (One name decides the slots of all
 * partitions: the hash is linear.)
 */
function nameWithLowSlots(partitions: number): string {
  let best = { name: APP_NAME, lowest: Infinity };
  for (let i = 0; i < NAMES_TRIED; i++) {
    const name = `${APP_NAME}${i}`;
    const lowest = Math.min(...slotsOfPartitions(name, partitions).map((slot) => slot % Math.ceil(SLOTS / MASTERS)));
    if (lowest < best.lowest) best = { name, lowest };
  }
  return best.name;
}
