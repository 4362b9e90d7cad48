import { afterEach, describe } from '@jest/globals';
import { describeBuilds } from './cache-store/builds.js';
import { describeDirectory } from './cache-store/directory.js';
import { describeExpiry } from './cache-store/expiry.js';
import { describeInvalidations } from './cache-store/invalidations.js';
import { describeLeases } from './cache-store/leases.js';
import { describeLongerLives } from './cache-store/longer-lives.js';
import { describeMessages } from './cache-store/messages.js';
import { describeRaces } from './cache-store/races.js';
import { describeSharedReads } from './cache-store/shared-reads.js';
import { describeWrites } from './cache-store/writes.js';
import type { StoreFactory, StoreUnderTest } from './store-under-test.js';

/**
 * The contract of every implementation of the `CacheStore` port. Ids in brackets name the cases and invariants that a
 * test covers (docs/acceptance.md).
 */
export function describeCacheStore(name: string, factory: StoreFactory): void {
  describe(`CacheStore: ${name}`, () => {
    const created: StoreUnderTest[] = [];
    const create: StoreFactory = async (settings) => {
      const sut = await factory(settings);
      created.push(sut);
      return sut;
    };
    afterEach(async () => {
      await Promise.all(created.splice(0).map((sut) => sut.close()));
    });

    describeSharedReads(create);
    describeBuilds(create);
    describeLeases(create);
    describeRaces(create);
    describeWrites(create);
    describeInvalidations(create);
    describeExpiry(create);
    describeDirectory(create);
    describeLongerLives(create);
    describeMessages(create);
  });
}
