import { Agent, get } from 'node:http';
import { setTimeout as elapse } from 'node:timers/promises';
import type { GreedyOrder, GreedyReport } from './greedy-customer.messages.js';

/**
 * A customer who asks for made-up orders, so many at a time, until it is stopped. A process of its own: what its
 * requests cost on the way out must not slow down the customers beside it.
 */
const counts: Record<string, number> = {};
let isOver = false;

process.once('message', (order: GreedyOrder) => {
  const agent = new Agent({ keepAlive: true, maxSockets: order.parallel });
  const running = Array.from({ length: order.parallel }, () => repeat(order, agent));
  process.once('message', () => {
    isOver = true;
    void Promise.all(running).then(() => {
      process.send?.({ counts } satisfies GreedyReport);
      process.disconnect();
    });
  });
  process.send?.('running');
});

async function repeat({ url, token, pauseMs }: GreedyOrder, agent: Agent): Promise<void> {
  while (!isOver) {
    const id = `801${String(Math.floor(Math.random() * 1e12)).padStart(12, '0')}`;
    const status = await ask(`${url}/api/orders/${id}`, token, agent);
    counts[status] = (counts[status] ?? 0) + 1;
    if (status !== '404' && pauseMs > 0) await elapse(pauseMs * (0.5 + Math.random())); // not all at the same time
  }
}

/** The status of the answer, or the code of the error if there is none. */
function ask(url: string, token: string, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const request = get(url, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
      response.resume().on('end', () => resolve(String(response.statusCode)));
    });
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'failed'));
  });
}
