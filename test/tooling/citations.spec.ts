import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { problemsOf, type Texts } from './citations.js';

const read = (file: string) => readFileSync(file, 'utf8');

const repository: Texts = {
  cases: read('docs/acceptance.md'),
  architecture: read('ARCHITECTURE.md'),
  files: execFileSync('git', ['ls-files'], { encoding: 'utf8' })
    .split('\n')
    .filter((file) => /\.(ts|mjs|lua|md|pml)$/.test(file) && !file.startsWith('test/tooling/citations'))
    .map((file) => ({ file, text: read(file) })),
  exists: (path) =>
    existsSync(path) ||
    existsSync(`${path}.md`) ||
    readdirSync(dirname(path)).some((file) => file.startsWith(`${path.split('/').at(-1)}-`)),
};

describe('citations of cases, invariants and pages', () => {
  it('resolve, and every case and invariant is shown by a test', () => {
    expect(repository.files.length).toBeGreaterThan(500);
    expect(problemsOf(repository)).toEqual([]);
  });

  describe('that are planted', () => {
    const cases = `| <a id="p1"></a>P1 | One. |\n| <a id="p2"></a>P2 | Two. |\n\n## Without a test\n\n| P7, P8 | Seven. |\n`;
    const architecture = '# A\n\n## Invariants\n\n1. One.\n2. Two.\n\n## Next\n';
    const tests = "it('[P1] [invariant 1] holds', one); it(`[P2] holds`, two); describe('[invariant 2] holds', three);";
    const problemsWith = (file: string, text: string, page = cases) =>
      problemsOf({
        cases: page,
        architecture,
        files: [
          { file: 'a.spec.ts', text: tests },
          { file, text },
        ],
        exists: (path) => path === 'docs/concepts/l1.md',
      });

    it.each([
      ['b.spec.ts', "it('[P2] [P1] holds', two); // as on docs/concepts/l1.md, invariant 1"],
      ['b.ts', 'const key = list[P9]; // L1 of (L2), G1, `{app.v2.P1:0}` [P1], (invariant 2)'],
    ])('are none in %s', (file, text) => {
      expect(problemsWith(file, text)).toEqual([]);
    });

    it.each([
      ['b.spec.ts', "it('[P3] holds', one)", '[P3] is no case'],
      ['b.ts', '/** It holds [P7]. */', '[P7] is no case'],
      ['b.ts', '/**\n * By invariant\n * 3. */', 'invariant 3 does not stand'],
      ['b.spec.ts', "it('[invariant 9] holds', one)", 'invariant 9 does not stand'],
      ['b.spec.ts', "it('P1, P2: holds', one)", '"P1, P2:" cites without brackets'],
      ['b.md', 'It holds (P1).', '"(P1)" cites without brackets'],
      ['b.ts', '// CORRECTIONS 5', '"CORRECTIONS 5" is no part of the repository'],
      ['b.lua', '-- HITS-AND-L1 2.2', '"HITS-AND-L1" is no part of the repository'],
      ['b.ts', '// rule 2 of protocol section 4', '"protocol section 4" is no part of the repository'],
      ['b.ts', '// see docs/concepts/l2.md', 'docs/concepts/l2.md does not exist'],
      ['b.md', '[P9](../acceptance.md#p9)', 'has no case P9'],
    ])('in %s are found: %s', (file, text, problem) => {
      expect(problemsWith(file, text)).toContainEqual(expect.stringContaining(`${file}: `));
      expect(problemsWith(file, text).join('\n')).toContain(problem);
    });

    it('as a case or an invariant without a test, or as a case with two meanings, are found', () => {
      expect(problemsWith('b.ts', '// [P4]', `| <a id="p4"></a>P4 | Four. |\n${cases}`)).toEqual([
        'no test shows P4: begin the name of a test that fails without it with "[P4] "',
      ]);
      const only = { cases, architecture, files: [{ file: 'a.ts', text: tests }], exists: () => true };
      expect(problemsOf(only)).toHaveLength(4);
      expect(problemsWith('b.ts', '', `${cases}| P1 | One. |\n`)).toEqual([
        expect.stringContaining('P1 stands there twice'),
      ]);
    });
  });
});
