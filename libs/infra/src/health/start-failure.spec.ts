import { createServer, type AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { portInUse } from './start-failure.js';

it('names the port and the variable when the port is taken', async () => {
  const [holder, late] = [createServer(), createServer()];
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address() as AddressInfo;
  try {
    const error = await new Promise((resolve) => late.once('error', resolve).listen(port, '127.0.0.1'));
    expect(portInUse(error, 'PORT')).toBe(
      `port ${port} of 127.0.0.1 is in use by another process: stop that one, or set PORT to a free port`,
    );
    expect(portInUse(new Error('other'), 'PORT')).toBeUndefined();
  } finally {
    await new Promise((resolve) => holder.close(resolve));
  }
});
