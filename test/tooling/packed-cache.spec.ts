import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const infra = 'libs/infra/src';

/** These files and everything that they import, directly or by way of others, types too. */
function reachedFrom(entries: readonly string[]): { files: Set<string>; packages: Set<string> } {
  const files = new Set(entries);
  const packages = new Set<string>();
  for (const file of files) {
    for (const { fileName: name } of ts.preProcessFile(readFileSync(file, 'utf8')).importedFiles) {
      if (name.startsWith('.')) files.add(join(file, '..', name.replace(/\.js$/, '.ts')));
      else if (!isBuiltin(name)) packages.add(name);
    }
  }
  return { files, packages };
}

describe('the cache without Nest, with all that it imports', () => {
  let reached: ReturnType<typeof reachedFrom>;
  beforeAll(() => {
    reached = reachedFrom(['package/index.ts']);
    reached.files.delete('package/index.ts');
  });

  it('lies in three folders, so that these can be packed as a library', () => {
    const folders = [...reached.files].map((file) => file.split('/').slice(0, 4).join('/'));
    expect([...new Set(folders)].sort()).toEqual([`${infra}/cache`, `${infra}/process`, `${infra}/redis`]);
    expect(reached.files.size).toBeGreaterThan(80); // otherwise the walk has not reached the stores
  });

  it('has none of the files that tie it to Nest and to the configuration', () => {
    const ties = [...reached.files].filter((file) => /\.module(-definition)?\.ts$|-variables\.ts$/.test(file));
    expect(ties).toEqual([]);
  });

  it('needs three packages', () => {
    expect([...reached.packages].sort()).toEqual(['cockatiel', 'ioredis', 'lru-cache']);
  });
});
