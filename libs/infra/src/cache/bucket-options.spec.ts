import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const read = (file: string) => readFileSync(new URL(file, import.meta.url), 'utf8');
const page = readFileSync('docs/reference/bucket-options.md', 'utf8');

/** The fields of an interface, in source order. */
function fieldsOf(source: string, name: string): string[] {
  const body = source.slice(source.indexOf(`export interface ${name}`)).split('\n}\n')[0] as string;
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map((match) => match[1] as string);
}

/** The first cells of the table rows under a heading of the page. */
function rowsUnder(heading: string): string[] {
  const section = page.slice(page.indexOf(heading) + heading.length).split('\n#')[0] as string;
  return [...section.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1] as string);
}

const sorted = (names: string[]) => [...names].sort();

describe('the reference of the bucket options', () => {
  it('lists every option of a bucket, and no other', () => {
    const options = [
      ...fieldsOf(read('./bucket.ts'), 'BucketOptions'),
      ...fieldsOf(read('./cache.types.ts'), 'EntryOptions'),
    ];
    expect(options.length).toBeGreaterThan(8);
    expect(sorted(rowsUnder('# Bucket options'))).toEqual(sorted(options));
  });

  it('lists every field of rehydrate', () => {
    expect(sorted(rowsUnder('## `rehydrate`'))).toEqual(sorted(fieldsOf(read('./bucket.ts'), 'RehydrateOptions')));
  });

  it('lists what a single read may say', () => {
    expect(sorted(rowsUnder('## A single read'))).toEqual(sorted(fieldsOf(read('./cache.types.ts'), 'CallOptions')));
  });

  it('lists every counter', () => {
    const [, body = ''] = /export interface CacheBucketMetrics \{([^}]*)\}/.exec(read('./cache.types.ts')) ?? [];
    const counters = [...body.matchAll(/^ {2}(\w+): number;$/gm)].map((match) => match[1] as string);
    expect(counters.length).toBeGreaterThan(8);
    expect(sorted(rowsUnder('## Counters'))).toEqual(sorted(counters));
  });

  it('names both stale windows', () => {
    for (const field of fieldsOf(read('./cache.types.ts'), 'StaleOptions')) expect(page).toContain(`\`${field}\``);
  });
});
