import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Notice, NoticeBoard, Post } from '@bff/infra/notices/notice-board';
import { eventually } from '../support/eventually.js';

export interface BoardsUnderTest {
  readonly board: NoticeBoard;
  /** The same board as another process sees it; for a board of one process, the same object. */
  readonly other: NoticeBoard;
  close(): Promise<void>;
}

/** Records what a follower received. */
export class RecordingFollower {
  readonly notices: Notice[] = [];
  lost = 0;

  get told(): string[] {
    return this.notices.map(({ name, audience }) => `${name} ${audience ?? 'all'}`);
  }

  onNotice(notice: Notice): void {
    this.notices.push(notice);
  }

  onLost(): void {
    this.lost += 1;
  }

  async hasHeard(count: number): Promise<void> {
    await eventually(() => this.notices.length >= count, { what: `${count} notices` });
  }
}

/** Follows the board. Resolves when the board has been read, so the follower receives every later notice. */
export async function following(board: NoticeBoard): Promise<RecordingFollower> {
  const follower = new RecordingFollower();
  board.follow(follower);
  await eventually(() => board.position() !== undefined, { what: 'the board was read' });
  return follower;
}

const changed = (audience: string | null, source?: string): Post => ({ name: 'orders.changed', audience, source });

/** The contract of every implementation of the `NoticeBoard` port; `keptMax` bounds the notices that it keeps. */
export function describeNoticeBoard(name: string, create: (keptMax?: number) => Promise<BoardsUnderTest>): void {
  describe(`NoticeBoard: ${name}`, () => {
    let sut: BoardsUnderTest;
    beforeEach(async () => {
      sut = await create();
    });
    afterEach(() => sut.close());

    it('tells every follower of every process each notice once, in one order', async () => {
      const [here, there] = [await following(sut.board), await following(sut.other)];
      const before = Date.now();
      expect(await sut.board.publish([changed('a'), { name: 'catalog.changed', audience: null }])).toBe(2);
      await sut.other.publish([changed('b')]);
      await Promise.all([here.hasHeard(3), there.hasHeard(3)]);
      expect(here.told).toEqual(['orders.changed a', 'catalog.changed all', 'orders.changed b']);
      expect(there.notices).toEqual(here.notices);
      expect(new Set(here.notices.map(({ id }) => id)).size).toBe(3);
      for (const { at } of here.notices) expect(Math.abs(at - before)).toBeLessThan(60_000);
      expect([here.lost, there.lost]).toEqual([0, 0]);
    });

    it('[P20] takes the same notice of the same source once, from any process', async () => {
      const follower = await following(sut.board);
      expect(await sut.board.publish([changed('a', 'event/7')])).toBe(1);
      expect(await sut.other.publish([changed('a', 'event/7')])).toBe(0);
      expect(await sut.board.publish([changed('b', 'event/7'), changed('a', 'event/8')])).toBe(2);
      await follower.hasHeard(3);
      expect(follower.told).toEqual(['orders.changed a', 'orders.changed b', 'orders.changed a']);
    });

    it('makes one notice of what one call says twice, and remembers each of its sources', async () => {
      const follower = await following(sut.board);
      const burst = Array.from({ length: 500 }, (_, n) => changed(n % 2 ? 'a' : 'b', `event/${n}`));
      await sut.board.publish(burst);
      expect(await sut.board.publish(burst)).toBe(0);
      await sut.board.publish([changed('end')]);
      await eventually(() => follower.told.includes('orders.changed end'));
      expect(follower.notices.length).toBeLessThanOrEqual(10);
      expect(new Set(follower.told).size).toBe(3);
    });

    it('answers what came after a notice, in any process, also to one that has heard of none', async () => {
      const [follower] = [await following(sut.board), await following(sut.other)];
      const beginning = sut.board.position() as string;
      await sut.board.publish([changed('a'), changed('b')]);
      await sut.board.publish([changed('a')]);
      await follower.hasHeard(3);
      const [first, second, third] = follower.notices as [Notice, Notice, Notice];
      expect(await sut.other.since(first.id, ['a', 'b'])).toEqual([second, third]);
      expect(await sut.other.since(third.id, ['a', 'b'])).toEqual([]);
      expect(await sut.board.since(beginning, ['a', 'b'])).toEqual([first, second, third]);
      expect(sut.board.position()).toBe(third.id);
    });

    it('[C1] answers what concerns the asked audiences or everybody, and nothing of any other', async () => {
      const [follower] = [await following(sut.board), await following(sut.other)];
      const beginning = sut.board.position() as string;
      const audiences = ['a', 'b', null, 'A', 'a', 'ab', '', '*', '=a'];
      for (const audience of audiences) await sut.board.publish([changed(audience)]);
      await follower.hasHeard(audiences.length);
      const since = async (...asked: string[]) =>
        (await sut.other.since(beginning, asked))?.map(({ audience }) => audience);
      await eventually(async () => (await since('=a'))?.length === 2);
      expect(await since()).toEqual([null]);
      expect(await since('a')).toEqual(['a', null, 'a']);
      expect(await since('a', 'b')).toEqual(['a', 'b', null, 'a']);
      expect(await since('*')).toEqual([null, '*']);
      expect(await since('nobody')).toEqual([null]);
      expect(await sut.board.since('made up', ['a'])).toBeUndefined();
    });

    it.each(['', '0-0', 'made up', '1-1', '-1', '99999999999999999999-0'])(
      'says that it does not know what came after %j',
      async (id) => {
        await following(sut.board);
        expect(await sut.board.since(id, ['a'])).toBeUndefined();
      },
    );

    it('tells a follower nothing after it has left', async () => {
      const stayed = await following(sut.board);
      const left = new RecordingFollower();
      sut.board.follow(left)();
      await sut.board.publish([changed('a')]);
      await stayed.hasHeard(1);
      expect(left.notices).toEqual([]);
    });

    it('keeps a bounded number of notices, and knows that it forgot the others', async () => {
      await sut.close();
      sut = await create(20);
      const follower = await following(sut.board);
      const beginning = sut.board.position() as string;
      for (let n = 0; n < 300; n += 1) await sut.board.publish([changed(`${n}`)]);
      await follower.hasHeard(300);
      expect(await sut.board.since(beginning, [])).toBeUndefined();
      expect(await sut.board.since(follower.notices[0]?.id as string, [])).toBeUndefined();
      expect(await sut.board.since(follower.notices[298]?.id as string, ['299'])).toEqual([follower.notices[299]]);
    });
  });
}
