import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import * as schema from '@bff/modules/config/environment.schema';
import { loadConfig } from '@bff/modules/config/load-config';

type Writer = (source: typeof schema) => string;
const writers = (await import(resolve('tools/pages/configuration-text.mjs'))) as Record<
  'envExampleText' | 'configurationPageText',
  Writer
>;
const fix = 'run: npm run docs:config';

describe('.env.example', () => {
  const text = readFileSync('.env.example', 'utf8');
  const uncommented = parseEnv(text.replace(/^#(?=[A-Z_0-9]+=)/gm, ''));

  it('lists every variable and no other, each with its default', () => {
    const expected = Object.fromEntries(
      schema.variableNames.map((name) => [name, schema.documentationOf(name).defaultText ?? '']),
    );
    expect(uncommented).toEqual(expected);
  });

  it('changes nothing when it is used as it is, or with every line uncommented', () => {
    expect(loadConfig(parseEnv(text))).toEqual(loadConfig({}));
    expect(loadConfig(uncommented)).toEqual(loadConfig({}));
  });

  it('explains each variable in one line', () => {
    for (const name of schema.variableNames) expect(schema.documentationOf(name).description).toMatch(/^\S.{10,140}$/);
  });

  it(`is current (${fix})`, () => {
    expect(text).toBe(writers.envExampleText(schema));
  });
});

describe('docs/reference/configuration.md', () => {
  it(`is current (${fix})`, () => {
    expect(readFileSync('docs/reference/configuration.md', 'utf8')).toBe(writers.configurationPageText(schema));
  });
});
