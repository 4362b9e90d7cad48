import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const CHECKER = join(process.cwd(), 'test/checks/consistency');

describe('what judges the cache', () => {
  const judges = readdirSync(join(CHECKER, 'history'))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    .map((file) => join('history', file));

  it.each([...judges, 'source/universe.ts', 'index-walk.ts'])('%s shares no code with it', (file) => {
    const imports = readFileSync(join(CHECKER, file), 'utf8').matchAll(/from '([^']+)'/g);
    // Imports from `process/` are forbidden too: that code calls the cache.
    const foreign = [...imports].map(([, name = '']) => name).filter((name) => /@bff|libs\/|process\//.test(name));
    expect(foreign).toEqual([]);
  });
});
