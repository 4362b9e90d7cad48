import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { proseOf } from './prose.js';
import { trackedFiles } from './tracked-files.js';

/** The worst habits of our own earlier texts, each with what to write instead. */
const TICS: readonly { readonly what: string; readonly pattern: RegExp; readonly instead: string }[] = [
  {
    what: 'a sentence begins with "Of"',
    pattern: /(?:^|[.;:!?]\s+|\(\s*)Of\s/,
    instead: 'begin with the subject',
  },
  {
    what: 'a statement begins with "Who", "Whoever", "Whom" or "Whose"',
    pattern: /(?:^|[.;:!?]\s+)(?:Who|Whoever|Whom|Whose)\s(?![^.?!]*\?)/,
    instead: 'name the subject: "a caller that …", "the process that …"',
  },
  {
    what: 'a caller, a process or a user is "he"',
    pattern: /\b(?:he|him|his|she|her)\b/i,
    instead: 'write "they" or "it"',
  },
  {
    what: 'somebody "is told" something',
    pattern: /\b(?:is|are|was|were|be|been|being)\s+told\b(?! (?:apart|from))/,
    instead: 'say who answers, or who receives what',
  },
];

const files = trackedFiles(/\.(ts|mjs|lua|md|pml)$/);
const prose = files.flatMap((file) => proseOf(file, readFileSync(file, 'utf8')).map((text) => ({ file, text })));

describe('comments and pages', () => {
  it('are found', () => {
    expect(files.length).toBeGreaterThan(500);
    expect(proseOf('a.ts', '/** Of one. */ const a = `/* no */`; // he\n/* two\n * lines */')).toEqual([
      'Of one.',
      'he',
      'two lines',
    ]);
    expect(proseOf('a.lua', '-- KEYS one\nlocal a = 1 -- two\n')).toEqual(['KEYS one', 'two']);
    expect(proseOf('a.pml', '/* one\n * two */ byte a; /* three */')).toEqual(['one two', 'three']);
    expect(proseOf('a.md', '# One\n\n- two\n  lines\n\n```\nnone\n```\n')).toEqual(['One', 'two lines']);
  });

  it.each(TICS)('have no sentence in which $what ($instead)', ({ pattern }) => {
    const found = prose.flatMap(({ file, text }) => {
      const index = text.search(pattern);
      return index < 0 ? [] : [`${file}: … ${text.slice(Math.max(0, index - 60), index + 100)} …`];
    });
    expect(found).toEqual([]);
  });
});
