import { createServer, type AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { CacheError } from '../cache/cache.errors.js';
import { ConfigError } from '../config/config.errors.js';
import { startFailure } from './start-failure.js';

it('names the port and the variable when the port is taken', async () => {
  const [holder, late] = [createServer(), createServer()];
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address() as AddressInfo;
  try {
    const error = await new Promise((resolve) => late.once('error', resolve).listen(port, '127.0.0.1'));
    expect(startFailure(error, 'PORT')).toBe(
      `port ${port} of 127.0.0.1 is in use by another process: stop that one, or set PORT to a free port`,
    );
    expect(startFailure(new Error('other'), 'PORT')).toBeUndefined();
  } finally {
    await new Promise((resolve) => holder.close(resolve));
  }
});

it('has words for what people can mend, and none for anything else', () => {
  const config = new ConfigError([{ name: 'REDIS_URL', given: undefined, expected: 'a URL' }]);
  expect(startFailure(config, 'PORT')).toBe(config.message);
  expect(startFailure(new CacheError('CACHE_STORE_UNSUITABLE', 'Redis is a replica', false), 'PORT')).toBe(
    'Redis is a replica',
  );
  expect(startFailure(new CacheError('CACHE_CLOSED', 'ours', false), 'PORT')).toBeUndefined();
  expect(startFailure(undefined, 'PORT')).toBeUndefined();
});
