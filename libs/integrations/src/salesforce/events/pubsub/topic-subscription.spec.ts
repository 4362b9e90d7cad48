import { describe, expect, it } from '@jest/globals';
import type { TopicHandler } from '../change-event-source.js';
import { resolvePubSubOptions } from '../pubsub.options.js';
import { StreamJournal } from '../delivery/stream-journal.js';
import { TopicDelivery } from '../delivery/topic-delivery.js';
import type { PubSubLink } from './pubsub-link.js';
import { TopicSubscription } from './topic-subscription.js';

const TOPIC = '/data/OrderChangeEvent';

describe('the subscription of a topic', () => {
  it('does not end by what nobody has foreseen: it says it, and tries again until it is stopped', async () => {
    const lines: string[] = [];
    const log = (level: string, text: string): unknown => lines.push(`${level}: ${text}`);
    const options = resolvePubSubOptions({ retryMinMs: 1, connectRetryMaxMs: 1, refusedRetryMaxMs: 1, log });
    const journal = new StreamJournal(options.log);
    const handler: TopicHandler = { onEvents: () => Promise.resolve(), onGap: () => Promise.resolve() };
    const delivery = new TopicDelivery(TOPIC, 'pubsub', handler, options, journal);
    const stop = new AbortController();
    let attempts = 0;
    const open = (): never => {
      attempts += 1;
      if (attempts === 5) stop.abort();
      throw new TypeError('a defect of ours');
    };
    const link = { open } as unknown as PubSubLink;
    const position = (): Promise<'latest'> => Promise.resolve('latest');
    let attempted = 0;
    const subscription = new TopicSubscription(delivery, { link, position, options, journal, stopping: stop.signal });
    await subscription.run(() => (attempted += 1));
    expect(attempts).toBe(5);
    expect(attempted).toBe(4);
    expect(delivery.health()).toMatchObject({ state: 'connecting', reconnects: 4 });
    expect(lines).toEqual([expect.stringMatching(/^warn: .* is lost: an unforeseen error: a defect of ours/)]);
  });
});
