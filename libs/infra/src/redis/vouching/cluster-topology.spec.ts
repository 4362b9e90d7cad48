import { describe, expect, it } from '@jest/globals';
import type { Cluster, Redis } from 'ioredis';
import { ClusterTopology, parseNodes } from './cluster-topology.js';

const LINES = [
  'a1 10.0.0.1:7000@17000,host-a myself,master - 0 0 3 connected 0-99 [100->-b2]',
  'b2 10.0.0.2:7000@17000 master,fail? - 1 1 7 connected 100 200-300',
  'c3 10.0.0.3:7000@17000 master,fail - 1 1 2 disconnected 301-16383',
  'd4 10.0.0.4:7000@17000 slave c3 0 1 2 connected',
  'e5 10.0.0.5:7000@17000 master - 0 1 0 connected',
];

function topologyOf(lines: readonly string[], slots: readonly number[]) {
  const client = { status: 'ready', slots: [['x:1'], ['y:2']], nodes: () => [] } as unknown as Cluster;
  const topology = new ClusterTopology(client, slots);
  const redis = { cluster: async () => `${lines.join('\n')}\n` } as unknown as Redis;
  return { topology, ask: () => topology.ask(redis, { host: 'x', port: 1 }) };
}

describe('the masters of a Cluster as witnesses', () => {
  it('reads CLUSTER NODES', () => {
    expect(parseNodes(LINES.join('\n')).map(({ id, epoch, ranges }) => [id, epoch, ranges])).toEqual([
      ['a1', 3, [[0, 99]]],
      ['b2', 7, [[100, 100], [200, 300]]], // prettier-ignore
      ['c3', 2, [[301, 16383]]],
      ['d4', 2, []],
      ['e5', 0, []],
    ]);
  });

  it('tells who owns each slot, and whether most hold it for failed', async () => {
    const { ask } = topologyOf(LINES, [5, 100, 9000, 150]);
    expect(await ask()).toEqual({
      witness: 'a1',
      isVoter: true,
      needed: 2,
      words: [
        { primary: 'a1', epoch: 3, isFine: true, isReplacing: false },
        { primary: 'b2', epoch: 7, isFine: true, isReplacing: false },
        { primary: 'c3', epoch: 2, isFine: false, isReplacing: false },
        undefined,
      ],
    });
  });

  it.each([
    [1, 1],
    [2, 1],
    [3, 2],
    [4, 2],
    [5, 3],
  ])('of %i masters, %i are enough to leave too few for a majority', async (masters, needed) => {
    const line = (_: unknown, i: number) =>
      `n${i} h:${i}@1 ${i === 0 ? 'myself,' : ''}master - 0 0 ${i} connected ${i}-${i}`;
    expect((await topologyOf(Array.from({ length: masters }, line), [0]).ask()).needed).toBe(needed);
  });

  it('[T2] asks the servers of its slots as well, which the client may hold for replicas or for none of its nodes', () => {
    const nodes = (role: string) =>
      [
        { host: 'm', port: 1, username: 'bff' },
        { host: 'r', port: 2, username: 'bff' },
      ]
        .slice(0, role === 'master' ? 1 : 2)
        .map((options) => ({ options }));
    const slots = [['m:1'], ['r:2', 'm:1'], ['::1:3'], undefined];
    const client = { status: 'ready', slots, nodes } as unknown as Cluster;
    const topology = new ClusterTopology(client, [0, 1, 2, 3]);
    expect(topology.witnesses()).toEqual([
      { host: 'm', port: 1 },
      { host: 'r', port: 2 },
      { host: '::1', port: 3 },
    ]);
    const connection = topology.connect({ host: '::1', port: 3 });
    connection.disconnect();
    expect(connection.options).toMatchObject({ host: '::1', port: 3, username: 'bff' });
  });

  it('knows whom the client sends to only when that node has said who it is', async () => {
    const { topology, ask } = topologyOf(LINES, [0, 1]);
    expect(topology.receiver(0)).toBeUndefined();
    await ask();
    expect([topology.receiver(0), topology.receiver(1)]).toEqual([{ primary: 'a1', server: 'x:1' }, undefined]);
    expect(topology.serverOf(1)()).toBe('y:2');
  });
});
