import type { Cluster, Redis } from 'ioredis';

/**
 * Guarantees that an ASKING without an answer does not end the process. ioredis (5.11.1, `Cluster#sendCommand`) sends it ahead
 * of a command that was redirected while a slot moves, and waits for its reply nowhere: where that does not come in time, its
 * rejection was nobody's. The command itself is rejected as well, and that is what its caller hears.
 */
export function watchAsking(cluster: Cluster): void {
  cluster.on('+node', (node: Redis) => {
    const asking: () => Promise<'OK'> = node.asking.bind(node);
    node.asking = () => {
      const reply = asking();
      reply.catch(() => undefined); // the command that follows it on the same connection tells
      return reply;
    };
  });
}
