import { expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { Portal } from './support/portal.js';

it('logs each request once, with its id and without tokens or queries', async () => {
  const lines: string[] = [];
  const portal = await Portal.open({ LOG_LEVEL: 'info' }, { write: (line) => void lines.push(line) });
  try {
    const secret = await portal.issuer.token('alice');
    const headers = { authorization: `Bearer ${secret}`, 'x-request-id': 'trace-42', cookie: 'session=hidden' };
    expect((await portal.anonymous('/api/orders?secret=1', headers)).statusCode).toBe(200);
    expect((await portal.anonymous('/nowhere')).statusCode).toBe(404);
    expect((await portal.anonymous('/health/live')).statusCode).toBe(200);
    const answered = () => lines.filter((line) => / in \d+ ms/.test(line));
    await eventually(() => answered().length >= 2, { what: 'a line for each answer' });
    expect(answered().map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ requestId: 'trace-42', msg: expect.stringMatching(/^GET \/api\/orders 200 in/) }),
      expect.objectContaining({ level: 40, msg: expect.stringMatching(/^GET \/nowhere 404 in/) }),
    ]);
    expect(lines.join()).not.toMatch(new RegExp(`secret=1|hidden|${secret.slice(-20)}`));
  } finally {
    await portal.close();
  }
});
