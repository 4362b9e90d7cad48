import { describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '../../../apps/sandbox/src/sandbox.js';

interface Told {
  readonly id: number;
  readonly fault: string;
}

describe('the feed of a sandbox that was started again', () => {
  /** The entries that a sandbox tells after this id, as a list and as a stream, once it has carried out some faults. */
  async function tellsAfter(
    id: number,
    faults: number,
  ): Promise<{ newestId: number; asked: Told[]; streamed: Told[] }> {
    const sandbox = await startSandbox({ port: 0, latencyMs: 0 });
    try {
      for (let n = 0; n < faults; n += 1) await fetch(`${sandbox.url}/sandbox/faults`, { method: 'DELETE' });
      const list = await fetch(`${sandbox.url}/sandbox/feed.json?after=${id}`);
      const { newestId, entries } = (await list.json()) as { newestId: number; entries: Told[] };
      return { newestId, asked: entries, streamed: await streamedAfter(sandbox, id) };
    } finally {
      await sandbox.close();
    }
  }

  async function streamedAfter(sandbox: Sandbox, id: number): Promise<Told[]> {
    const stream = await fetch(`${sandbox.url}/sandbox/feed`, { headers: { 'last-event-id': String(id) } });
    let text = '';
    for await (const chunk of stream.body as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      if (text.includes('event: status')) break; // it follows the kept entries
    }
    return [...text.matchAll(/^event: fault\ndata: (.*)$/gm)].map(([, data]) => JSON.parse(data as string) as Told);
  }

  it.each([
    ['fewer', 3, 1],
    ['more', 1, 3],
  ])('tells all of it to a client of the run before, with %s entries now', async (_, before, now) => {
    const earlier = await tellsAfter(0, before);
    expect([earlier.asked, earlier.streamed].map(({ length }) => length)).toEqual([before, before]);
    const later = await tellsAfter(earlier.newestId, now);
    expect([later.asked, later.streamed].map(({ length }) => length)).toEqual([now, now]);
  });
});
