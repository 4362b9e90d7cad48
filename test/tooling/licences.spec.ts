import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';

interface Package {
  readonly license?: string;
  readonly dev?: boolean;
}

/** Licences that let an MIT product be used and passed on together with the package. */
const COMPATIBLE = /^(MIT|ISC|0BSD|BSD-[23]-Clause|Apache-2\.0|BlueOak-1\.0\.0|\(MIT OR CC0-1\.0\))$/;

it('is MIT, and no production dependency forbids that (leave the dependency out, or show that its licence does not)', () => {
  const { license } = JSON.parse(readFileSync('package.json', 'utf8')) as Package;
  expect([license, readFileSync('LICENSE', 'utf8').split('\n')[0]]).toEqual(['MIT', 'MIT License']);
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Package> };
  const production = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true);
  expect(production.length).toBeGreaterThan(100);
  const others = production.filter(([, { license: given }]) => !COMPATIBLE.test(given ?? ''));
  expect(others.map(([path, { license: given }]) => `${path}: ${given ?? 'no licence'}`)).toEqual([]);
});
