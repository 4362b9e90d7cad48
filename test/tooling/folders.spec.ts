import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from '@jest/globals';

/**
 * Maximum number of source files in a folder. A reader takes in about a dozen names; a fuller folder holds two ideas.
 */
const FACE_MAX = 12;

/** The number of TypeScript files, without specs, in each folder of the product that has any. */
function faces(): Map<string, number> {
  const found = new Map<string, number>();
  for (const top of ['apps', 'libs']) {
    for (const entry of readdirSync(top, { recursive: true, encoding: 'utf8' })) {
      if (!entry.endsWith('.ts') || entry.endsWith('.spec.ts')) continue;
      const folder = dirname(join(top, entry));
      found.set(folder, (found.get(folder) ?? 0) + 1);
    }
  }
  return found;
}

it(`no folder of the product has more than ${FACE_MAX} files: give each idea in it a folder of its own`, () => {
  const full = [...faces()].filter(([, count]) => count > FACE_MAX).map(([folder, count]) => `${folder}: ${count}`);
  expect(full).toEqual([]);
  expect(faces().size).toBeGreaterThan(50);
});
