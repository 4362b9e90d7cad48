import type { Cluster, Redis } from 'ioredis';

/**
 * Guarantees that an unanswered ASKING does not end the process. ioredis (5.11.1, `Cluster#sendCommand`) sends ASKING
 * ahead of a command redirected while a slot moves, and never awaits its reply, so a late reply becomes an unhandled
 * rejection. The command itself is rejected too, and its caller receives that error.
 */
export function watchAsking(cluster: Cluster): void {
  cluster.on('+node', (node: Redis) => {
    const asking: () => Promise<'OK'> = node.asking.bind(node);
    node.asking = () => {
      const reply = asking();
      reply.catch(() => undefined); // the command that follows on the same connection reports the failure
      return reply;
    };
  });
}
