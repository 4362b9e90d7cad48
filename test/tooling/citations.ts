/** What the repository says of cases, invariants and its own pages, and what defines them. */
export interface Texts {
  /** The text of docs/acceptance.md. */
  readonly cases: string;
  /** The text of ARCHITECTURE.md. */
  readonly architecture: string;
  /** Every file whose citations count, those two included. */
  readonly files: readonly { readonly file: string; readonly text: string }[];
  /** Whether a page, or a folder of pages, exists; `docs/decisions/0009` stands for the decision with that number. */
  exists(path: string): boolean;
}

const CASES = 'docs/acceptance.md';
const UNTESTED = '## Without a test';
/** Names of documents that are not part of the repository. */
const FOREIGN =
  /\bcorrections? \d+|\bHITS-AND-L1\b|\bprotocol,? (?:section|rule) \d[\d.]*|\b(?:seeds|findings|DESIGN)\.md\b/gi;

/** Every citation that does not resolve, and every case and invariant without a test, each with what to do. */
export function problemsOf({ cases, architecture, files, exists }: Texts): string[] {
  const [tested = '', untested = ''] = cases.split(UNTESTED);
  const defined = found(tested, /<a id="(\w+)"><\/a>\w+ \|/g).map((id) => id.toUpperCase());
  const waived = found(untested, /^\| ([A-Z]\d[^|]*) \|/gm).flatMap((ids) => ids.split(', '));
  const invariants = found(/\n## Invariants\n([^]*?)\n## /.exec(architecture)?.[1] ?? '', /^(\d+)\. /gm);
  const letters = [...new Set(defined.map(([letter]) => letter))].join('');
  const known = new Set([...defined, ...invariants.map((number) => `invariant ${number}`)]);
  const shown = new Set(files.filter(({ file }) => isTest(file)).flatMap(({ text }) => shownBy(text)));

  return [
    ...defined
      .filter((id, i) => defined.indexOf(id) !== i || waived.includes(id))
      .map((id) => `${CASES}: ${id} stands there twice: give the second case a number of its own`),
    ...[...known]
      .filter((id) => !shown.has(id))
      .map((id) => `no test shows ${id}: begin the name of a test that fails without it with "[${id}] "`),
    ...files.flatMap(({ file, text }) =>
      [
        ...found(text, /(?<![\w)\]])\[((?!L[12]\])[A-Z]\d{1,2})\]/g) // L1 and L2 are levels of the cache
          .filter((id) => !known.has(id))
          .map((id) => `[${id}] is no case: correct it, or say in ${CASES} what must hold`),
        ...found(text, /\binvariant[\s*/]+(\d+)\b/g)
          .filter((number) => !invariants.includes(number))
          .map((number) => `invariant ${number} does not stand in ARCHITECTURE.md`),
        ...found(text, new RegExp(`\\([${letters}]\\d{1,2}(?:, [A-Z]\\d{1,2})*\\)`, 'g')).map(unmarked),
        ...(isTest(file)
          ? found(text, new RegExp(`(?<=['"\`])[${letters}]\\d{1,2}(?:, [A-Z]\\d{1,2})*[:,] `, 'g'))
          : []
        ).map(unmarked),
        ...found(text, FOREIGN).map(
          (name) => `"${name}" is no part of the repository: cite a page of docs, a decision, an invariant or a case`,
        ),
        ...found(text, /(?<![\w/.-])docs\/[\w/-]+(?:\.\w+)?/g)
          .filter((path) => !exists(path))
          .map((path) => `${path} does not exist`),
        ...found(text, /\/?acceptance\.md#(\w+)/g)
          .filter((id) => !defined.includes(id.toUpperCase()))
          .map((id) => `${CASES} has no case ${id.toUpperCase()}`),
      ].map((problem) => `${file}: ${problem}`),
    ),
  ];
}

function unmarked(text: string): string {
  return `"${text.trim()}" cites without brackets: write [P8], in a test at the beginning of its name`;
}

/** Whether the file is one of those in which the name of a test can show a case or an invariant. */
function isTest(file: string): boolean {
  return /spec\.ts$|^test\/contract\//.test(file);
}

/** The cases and invariants at the beginning of the names of tests. */
function shownBy(text: string): string[] {
  return found(text, /['"`]((?:\[(?:[A-Z]\d{1,2}|invariant \d+)\] )+)/g).flatMap((names) =>
    found(names, /\[([^\]]+)\]/g),
  );
}

/** What a pattern finds: its first group, or all of it. */
function found(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([whole, group]) => group ?? whole);
}
