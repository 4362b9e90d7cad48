import { loadConfig } from '@bff/modules/config/load-config';
import { MemoryNoticeBoard } from '@bff/infra/notices/memory/memory-notice-board';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EventStreams } from './event-streams.js';

const FIVE_MINUTES = 300_000;

/** A browser of a user of this account; records what it is sent. */
class Browser {
  text = '';
  readonly bufferedBytes = 0;
  looks = 0;
  isAllowed: () => Promise<boolean> = () => Promise.resolve(true);

  constructor(readonly account: string) {}

  get closing(): string | undefined {
    return /^event: closing\ndata: {"reason":"(.*)"}$/m.exec(this.text)?.[1];
  }

  write(more: string): void {
    this.text += more;
  }

  end(more: string): Promise<void> {
    this.text += more;
    return Promise.resolve();
  }

  /** Asks for a stream and opens it. Throws if it is refused. */
  enter(streams: EventStreams): this {
    const { account } = this;
    streams.admit(account);
    const audiences = [`account:${account}`] as const;
    const isStillAllowed = () => (this.looks++, this.isAllowed());
    streams.add({ account, audiences, expiresAt: Date.now() + 3_600_000, isStillAllowed }, this, undefined);
    return this;
  }
}

let board: MemoryNoticeBoard;
function streamsOf(env: Record<string, string> = {}): EventStreams {
  const streams = new EventStreams(board, loadConfig(env));
  streams.onModuleInit();
  return streams;
}
const many = (count: number, account: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => new Browser(account(n)));
const turns = () => jest.advanceTimersByTimeAsync(0);

beforeEach(() => {
  jest.useFakeTimers();
  board = new MemoryNoticeBoard();
});
afterEach(() => void jest.useRealTimers());

describe('whether a user still acts for the account of a stream', () => {
  it('[A4] is asked when it opens and every five minutes, also without any change', async () => {
    const streams = streamsOf();
    const browser = new Browser('a').enter(streams);
    expect(browser.looks).toBe(1);
    await jest.advanceTimersByTimeAsync(FIVE_MINUTES);
    expect([browser.looks, streams.state().streams]).toEqual([2, 1]);
    browser.isAllowed = () => Promise.resolve(false);
    await jest.advanceTimersByTimeAsync(FIVE_MINUTES);
    expect(browser.closing).toBe('account-changed');
    await jest.advanceTimersByTimeAsync(2 * FIVE_MINUTES);
    expect([browser.looks, streams.state().streams]).toEqual([3, 0]);
  });

  it('is asked at once when the eligibility of this account changed, and of nobody else', async () => {
    const streams = streamsOf();
    const [mine, other] = [new Browser('a').enter(streams), new Browser('b').enter(streams)];
    mine.isAllowed = other.isAllowed = () => Promise.resolve(false);
    await board.publish([{ name: 'eligibility.changed', audience: 'account:a' }]);
    await turns();
    expect([mine.closing, other.closing]).toEqual(['account-changed', undefined]);
  });

  it.each(['eligibility.changed', 'resync'])(
    '[A4] is asked for every stream, four at a time, when it is unknown whose account changed: %s',
    async (name) => {
      const streams = streamsOf();
      const browsers = many(50, (n) => `${n}`);
      for (const browser of browsers) browser.enter(streams);
      await turns();
      let [asking, askingMax] = [0, 0];
      for (const browser of browsers) {
        browser.isAllowed = async () => {
          askingMax = Math.max(askingMax, ++asking);
          await new Promise((resolve) => setTimeout(resolve, 10));
          asking -= 1;
          if (browser.account === '7') throw new Error('the source is away');
          return browser.account !== '49';
        };
      }
      for (const _ of [1, 2]) await board.publish([{ name, audience: null }]);
      await jest.advanceTimersByTimeAsync(1_000);
      expect(askingMax).toBe(4);
      // Those under way at the second notice are asked again, for they may have looked before it.
      expect(browsers.map(({ looks }) => looks)).toEqual([...Array<number>(4).fill(3), ...Array<number>(46).fill(2)]);
      expect(browsers.filter(({ closing }) => closing === 'account-changed').map(({ account }) => account)).toEqual([
        '49',
      ]);
    },
  );

  it('is not asked because the catalog changed', async () => {
    const browser = new Browser('a').enter(streamsOf());
    await board.publish([{ name: 'catalog.changed', audience: null }]);
    expect(browser.looks).toBe(1);
  });

  it('is not asked any more once the stream has ended', async () => {
    const streams = streamsOf();
    const browsers = many(10, () => 'a');
    for (const browser of browsers) browser.enter(streams);
    await board.publish([{ name: 'resync', audience: null }]);
    await streams.beforeApplicationShutdown();
    await turns();
    expect(browsers.map(({ looks }) => looks)).toEqual([2, 2, 2, 2, 1, 1, 1, 1, 1, 1]);
  });
});

describe('[C13] the slots of a process', () => {
  it('go to every account that comes, however few accounts have taken all', () => {
    const streams = streamsOf();
    const first = many(1_000, (n) => `greedy-${n % 20}`);
    for (const browser of first) browser.enter(streams);
    expect(streams.state()).toMatchObject({ streams: 1_000, replaced: 0 });
    const late = many(900, (n) => `late-${n}`).map((browser) => browser.enter(streams));
    expect(streams.state()).toMatchObject({ streams: 1_000, replaced: 900 });
    expect(late.filter(({ closing }) => closing !== undefined)).toEqual([]);
    const left = (account: string) => first.filter((each) => each.account === account && !each.closing);
    for (let n = 0; n < 20; n++) expect(left(`greedy-${n}`)).toHaveLength(5);
    // The oldest streams were closed.
    expect(first.findIndex(({ closing }) => closing === undefined)).toBe(900);
  });

  it('are refused only to an account that has as many as any other, and nobody pushes out in turn', () => {
    const streams = streamsOf({ SSE_STREAMS_MAX: '6', SSE_STREAMS_PER_ACCOUNT_MAX: '6' });
    const greedy = many(6, () => 'greedy').map((browser) => browser.enter(streams));
    const refusal = expect.objectContaining({ problem: expect.objectContaining({ status: 503 }) });
    const enter = (account: string) => new Browser(account).enter(streams);
    for (const _ of [1, 2, 3]) enter('other');
    expect(greedy.map(({ closing }) => closing)).toEqual([...Array<string>(3).fill('replaced'), ...Array(3)]);
    for (const account of ['greedy', 'other']) expect(() => enter(account)).toThrow(refusal);
    for (const account of ['third', 'third']) enter(account);
    for (const account of ['greedy', 'other', 'third']) expect(() => enter(account)).toThrow(refusal);
    for (const account of ['d', 'e', 'f']) enter(account);
    expect(() => enter('g')).toThrow(refusal);
    expect(streams.state()).toMatchObject({ streams: 6, replaced: 8 });
  });

  it('are not taken from anybody by an account at its own bound, nor by a question for the head alone', () => {
    const streams = streamsOf({ SSE_STREAMS_MAX: '3', SSE_STREAMS_PER_ACCOUNT_MAX: '2' });
    for (const account of ['a', 'a', 'b']) new Browser(account).enter(streams);
    const refusal = expect.objectContaining({ problem: expect.objectContaining({ status: 429 }) });
    expect(() => streams.admit('a')).toThrow(refusal);
    streams.admit('c');
    expect(streams.state()).toMatchObject({ streams: 3, replaced: 0 });
  });
});
