import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Checkpoints } from '@bff/infra/fleet/checkpoints';

export interface CheckpointsUnderTest {
  readonly checkpoints: Checkpoints;
  close(): Promise<void>;
}

/** The contract of every implementation of the `Checkpoints` port [P16]. */
export function describeCheckpoints(name: string, create: () => Promise<CheckpointsUnderTest>): void {
  describe(`Checkpoints: ${name}`, () => {
    let sut: CheckpointsUnderTest;
    beforeEach(async () => {
      sut = await create();
    });
    afterEach(() => sut.close());

    it('know nothing of a name that was never saved', async () => {
      expect(await sut.checkpoints.load('/data/OrderChangeEvent')).toBeUndefined();
    });

    it('[P16] answer the position saved last, unchanged, for each name apart', async () => {
      const { checkpoints } = sut;
      await checkpoints.save('/data/OrderChangeEvent', '1');
      await checkpoints.save('/data/OrderChangeEvent', 'AAAAAAAB+/8=');
      await checkpoints.save('/data/Product2ChangeEvent', '-2');
      await checkpoints.save('empty', '');
      expect(await checkpoints.load('/data/OrderChangeEvent')).toBe('AAAAAAAB+/8=');
      expect(await checkpoints.load('/data/Product2ChangeEvent')).toBe('-2');
      expect(await checkpoints.load('empty')).toBe('');
    });

    it('forget what is removed, and removing what is not there is no error', async () => {
      const { checkpoints } = sut;
      await checkpoints.save('a', '1');
      await checkpoints.save('b', '2');
      await checkpoints.remove('a');
      await checkpoints.remove('a');
      expect(await checkpoints.load('a')).toBeUndefined();
      expect(await checkpoints.load('b')).toBe('2');
    });
  });
}
