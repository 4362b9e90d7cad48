import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Cluster } from 'ioredis';
import { watchAsking } from './cluster-asking.js';

describe('ASKING in a Cluster', () => {
  let unheard: unknown[];
  const note = (reason: unknown) => unheard.push(reason);
  beforeEach(() => {
    unheard = [];
    process.on('unhandledRejection', note);
  });
  afterEach(() => void process.off('unhandledRejection', note));

  it('[D3] is nobody’s unhandled error when it is not answered, and still rejects for a caller that waits for it', async () => {
    const cluster = new EventEmitter();
    watchAsking(cluster as unknown as Cluster);
    const node = { asking: () => Promise.reject(new Error('Command timed out')) };
    cluster.emit('+node', node);
    void node.asking(); // as ioredis does
    await expect(node.asking()).rejects.toThrow('Command timed out');
    await new Promise((resolve) => setImmediate(resolve));
    expect(unheard).toEqual([]);
  });
});
