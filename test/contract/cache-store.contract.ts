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
import type { TestRunner } from './test-runner.js';

/**
 * Declares the tests of the contract that every implementation of the `CacheStore` port keeps, with the functions of a
 * test runner. `factory` makes an empty store for each test; what it made is closed after it. Ids in brackets name the
 * cases and invariants that a test covers (docs/acceptance.md).
 */
export function describeCacheStore(name: string, factory: StoreFactory, runner: TestRunner): void {
  const { describe, afterEach } = runner;
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

    describeSharedReads(runner, create);
    describeBuilds(runner, create);
    describeLeases(runner, create);
    describeRaces(runner, create);
    describeWrites(runner, create);
    describeInvalidations(runner, create);
    describeExpiry(runner, create);
    describeDirectory(runner, create);
    describeLongerLives(runner, create);
    describeMessages(runner, create);
  });
}
