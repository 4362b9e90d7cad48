import type { Dependency } from '../../dependencies.js';

/** The entries that depend on each dependency. A dependency without dependants takes no room. */
export class DependencyIndex {
  private readonly dependants = new Map<Dependency, Set<string>>();

  /** The number of dependencies that have dependants. */
  get size(): number {
    return this.dependants.size;
  }

  register(key: string, dependencies: Iterable<Dependency>): void {
    for (const d of dependencies) {
      const keys = this.dependants.get(d);
      if (keys) keys.add(key);
      else this.dependants.set(d, new Set([key]));
    }
  }

  /**
   * Removes the key from these dependencies. They must be exactly those of its registration, or the key stays in the
   * index.
   */
  unregister(key: string, dependencies: Iterable<Dependency>): void {
    for (const d of dependencies) {
      const keys = this.dependants.get(d);
      keys?.delete(key);
      if (keys?.size === 0) this.dependants.delete(d);
    }
  }

  /** A copy, so that the caller may drop the entries while it walks over them. */
  keysOf(dependency: Dependency): string[] {
    return [...(this.dependants.get(dependency) ?? [])];
  }
}
