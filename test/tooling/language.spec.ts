import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { proseOf } from './prose.js';
import { trackedFiles } from './tracked-files.js';

interface Tic {
  readonly what: string;
  readonly pattern: RegExp;
  readonly instead: string;
  /** Sentences that have it; the last one does not, although it looks similar. */
  readonly samples: readonly string[];
}

/** The worst habits of our own earlier texts, each with what to write instead. */
const TICS: readonly Tic[] = [
  {
    what: 'a sentence begins with "Of"',
    pattern: /(?:^|[.;:!?]\s+|\(\s*)Of\s/,
    instead: 'begin with the subject',
    samples: ['Of two, one.', 'One (Of two).', 'One of two.'],
  },
  {
    what: 'a statement begins with "Who", "Whom" or "Whose"',
    pattern: /(?:^|[.;:!?]\s+)(?:Who|Whom|Whose)\s(?![^.?!]*\?)|^(?:\[?\w\d+\]?:? )?who(?:m|se)?\s(?![^.?!]*\?)/,
    instead: 'name the subject: "a caller that …", "the process that …"',
    samples: ['Who waits, gets it.', 'who waits', '[J1] who waits', 'Who waits?'],
  },
  {
    what: 'somebody is "whoever", or something happens "whichever way"',
    pattern: /\bwho(?:m|s)?(?:so)?ever\b|\bwhichever way\b/i,
    instead: 'write "a caller that …", "each process that …", "however …"',
    samples: ['It answers whoever asks.', 'It left, by whichever way.', 'It answers whatever is asked.'],
  },
  {
    what: 'a caller, a process or a user is "he"',
    pattern: /\b(?:he|him|his|she|her)\b/i,
    instead: 'write "they" or "it"',
    samples: ['He waits.', 'The caller and his fetch.', 'The caller and their fetch.'],
  },
  {
    what: 'somebody "is told" something',
    pattern: /\b(?:is|are|was|were|be|been|being)\s+told\b(?! (?:apart|from))/,
    instead: 'say who answers, or who receives what',
    samples: ['It is told.', 'All are told of it.', 'The two are told apart.'],
  },
  {
    what: 'a clause with "that" comes first, or "That of …" stands for a noun',
    pattern: /(?:^|[.;!?]\s+)That (?:of|it|they|a|an|the|no|every)\s/,
    instead: 'begin with the main clause, or repeat the noun',
    samples: ['That it was so, nobody knows.', 'One. That of another does not.', 'That is all.'],
  },
  {
    what: 'a condition begins with "Should …"',
    pattern: /(?:^|[.;:!?]\s+)Should\s(?![^.?!]*\?)/,
    instead: 'write "If …"',
    samples: ['Should it come, it waits.', 'Should it wait?'],
  },
  {
    what: 'a sentence begins with "From … on" or "Not so"',
    pattern: /(?:^|[.;:!?]\s+)(?:From (?!now |here |then )[^.;]*?\bon\b(?! (?:a|an|the)\b)|Not so\b)/,
    instead: 'say when: "After …", "Above …"',
    samples: ['From this part on, it is full.', 'One. Not so another.', 'From now on it waits.'],
  },
  {
    what: 'a measure is "so long"',
    pattern: /\bso long\b(?! as\b| that\b)/i,
    instead: 'name the time: "this long", "for that time"',
    samples: ['At least so long it is.', 'It expires after so long.', 'It waits so long as it may.'],
  },
  {
    what: 'a negative sentence ends with ", too"',
    pattern: /\b(?:neither|nor|not|never|no|nobody|nothing)\b[^.;:,]*, too(?:[.;:)]|$)/i,
    instead: 'write "either", or "also" beside the verb',
    samples: ['It is neither, too.', 'It is not read (nor written, too).', 'Where some do not, too few are left.'],
  },
  {
    what: 'a word is one of old letters and laws',
    pattern: /\b(?:(?:here|there|where)(?:of|in|by|upon|with|to|from)|lest|shall|the more so|no word of)\b/i,
    instead: 'write "of it", "so that … not", "must", "all the more", "nothing about"',
    samples: ['The end hereof.', 'It shall end.', 'No word of it.', 'It is here.'],
  },
  {
    what: 'a text "stands in" a file or on a page',
    pattern: /\bstands? (?:in\b(?! (?:for|the way|front))|at the (?:head|end|top|foot) of\b)/,
    instead: 'write "is in …", or "see …"',
    samples: ['It stands in `a.md`.', 'What they hold stands at the head of it.', 'It stands in for another.'],
  },
];

const files = trackedFiles(/\.(ts|mjs|lua|md|pml)$/);
const prose = files.flatMap((file) => proseOf(file, readFileSync(file, 'utf8')).map((text) => ({ file, text })));

describe('comments, names of tests and pages', () => {
  it('are found', () => {
    expect(files.length).toBeGreaterThan(500);
    expect(proseOf('a.ts', '/** Of one. */ const a = `/* no */`; // he\n/* two\n * lines */')).toEqual([
      'Of one.',
      'he',
      'two lines',
    ]);
    expect(proseOf('a.ts', '// one\n  // two\n\n// three\nf(); // four\n')).toEqual(['one two', 'three', 'four']);
    expect(proseOf('a.spec.ts', "describe('one', () => it.each([2])('is %s', () => f('no')));")).toEqual([
      'one',
      'is %s',
    ]);
    expect(proseOf('a.lua', '-- KEYS one\n-- two\nlocal a = 1 -- three\n')).toEqual(['KEYS one two', 'three']);
    expect(proseOf('a.pml', '/* one\n * two */ byte a; /* three */')).toEqual(['one two', 'three']);
    expect(proseOf('a.md', '# One\n\n- two\n  lines\n\n```\nnone\n```\n')).toEqual(['One', 'two lines']);
  });

  it.each(TICS)('are searched for sentences in which $what', ({ pattern, samples }) => {
    const last = samples.length - 1;
    expect(samples.map((sample) => pattern.test(sample))).toEqual(samples.map((_, index) => index !== last));
  });

  it.each(TICS)('have no sentence in which $what ($instead)', ({ pattern }) => {
    const found = prose.flatMap(({ file, text }) => {
      const index = text.search(pattern);
      return index < 0 ? [] : [`${file}: … ${text.slice(Math.max(0, index - 60), index + 100)} …`];
    });
    expect(found).toEqual([]);
  });
});
