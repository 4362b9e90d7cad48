import type { FetchContext } from '@bff/infra/cache/cache.types';
import type { Dependency } from '@bff/infra/cache/dependencies';
import { deferred, type Deferred } from './deferred.js';

/** A source whose value the test changes, and whose fetches it counts and holds up. */
export class CountingSource<T> {
  fetches = 0;
  private gate: Deferred<void> | undefined;
  private readonly begun: Deferred<void>[] = [];

  constructor(
    public value: T,
    private readonly dependencies: readonly Dependency[] = [],
  ) {}

  /** From now on fetches read the value and then hang until `letGo`. */
  hold(): void {
    this.gate = deferred();
  }

  letGo(): void {
    this.gate?.resolve();
    this.gate = undefined;
  }

  /** Resolves when the n-th fetch has read its value. */
  async hasBegun(n: number): Promise<void> {
    await this.beginning(n).promise;
  }

  readonly fetch = async (context: FetchContext): Promise<T> => {
    const n = ++this.fetches;
    context.dependsOn(...this.dependencies);
    const { value, gate } = this;
    this.beginning(n).resolve();
    await gate?.promise;
    return value;
  };

  private beginning(n: number): Deferred<void> {
    return (this.begun[n] ??= deferred());
  }
}
