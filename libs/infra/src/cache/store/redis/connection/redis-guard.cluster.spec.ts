import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Cluster, type Redis } from 'ioredis';
import { RedisGuard } from './redis-guard.js';

const serverOfRole = (role: string) =>
  ({ info: () => Promise.resolve(`redis_version:7.0.15\r\nmaxmemory_policy:noeviction\r\nrole:${role}\r\n`) }) as Redis;

/** A client of a Cluster that never connects; the test says which masters it knows. */
function scriptedCluster(masters: Redis[]): Cluster {
  const cluster = new Cluster([{ host: '127.0.0.1', port: 1 }], { lazyConnect: true });
  cluster.status = 'ready';
  cluster.nodes = () => masters;
  return cluster;
}

describe('a client of a Cluster that holds a replica for a master', () => {
  let guard: RedisGuard | undefined;
  afterEach(() => guard?.close());

  it('looks for the masters anew, because nothing is sent by which a server could correct it', async () => {
    const masters = [serverOfRole('master'), serverOfRole('slave')];
    const cluster = scriptedCluster(masters);
    const looks = jest.spyOn(cluster, 'refreshSlotsCache').mockImplementation(() => void masters.splice(1, 1));
    guard = new RedisGuard(cluster);
    await guard.open();
    expect(guard.reason).toMatch(/replica/);
    const usable = new Promise<void>((resolve) => guard?.onUsable(resolve));
    await usable;
    expect(guard.reason).toBeUndefined();
    expect(looks).toHaveBeenCalledTimes(1);
  });

  it('asks for no other masters while all that it knows are masters', async () => {
    const cluster = scriptedCluster([serverOfRole('master')]);
    const looks = jest.spyOn(cluster, 'refreshSlotsCache').mockImplementation(() => undefined);
    guard = new RedisGuard(cluster);
    await guard.open();
    expect(guard.reason).toBeUndefined();
    expect(looks).not.toHaveBeenCalled();
  });
});
