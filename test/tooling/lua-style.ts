const RULE =
  'Name every key and argument at the top, in the order of the header (purpose, `Atomic:`, `KEYS`, `ARGV`, `->`).';

/** Stands for a list that a script takes whole, without a name for each item: only the header says what is in it. */
const UNNAMED = 'a list';

/** What the header of a script lists. */
interface Header {
  readonly keys: readonly string[];
  /** The arguments before the list, if there is one. */
  readonly fixed: readonly string[];
  /** The arguments behind the fixed ones: `dep...`, `(name value)...`. */
  readonly list: string | undefined;
  readonly explained: readonly string[];
}

/**
 * The names that the statements below the header give to keys and arguments, and what is wrong with these statements.
 */
interface Names {
  readonly keys: readonly string[];
  readonly fixed: readonly string[];
  readonly list: string | undefined;
  readonly faults: readonly string[];
}

/**
 * The faults of a Lua script, in words: its top must tell a reader everything that it takes. Empty for a script without
 * a fault.
 */
export function faultsOf(name: string, text: string, sharedNames: readonly string[]): string[] {
  const [, head = '', code = ''] = /^((?:#!.*\n)?(?:--.*\n)*)([^]*)$/.exec(text) ?? [];
  const block = /^(?:local (?!function).*(?:\n {2}\S.*)*\n)*/.exec(code)?.[0] ?? '';
  const statements = block.split(/\n(?! {2})/).filter((each) => /\b(?:KEYS|ARGV|arguments)\b/.test(each));
  const header = headerOf(head);
  const names = namesOf(statements);
  const missing = [`${name}: `, 'Atomic: ', 'KEYS ', '-> '].filter((start) => !`\n${head}`.includes(`\n-- ${start}`));
  const hidden = [...names.fixed, ...names.keys].filter((each) => sharedNames.includes(each));
  const unlisted = header.explained.filter((each) => !everyNameOf(header).includes(each));
  const faults = [
    ...missing.map((start) => `the header has no line \`-- ${start}…\``),
    ...unlisted.map((each) => `the header explains \`${each}\`, which it does not list`),
    ...(names.keys.length > 0 ? compared('keys', header.keys, names.keys) : []),
    ...compared('arguments', header.fixed, names.fixed),
    ...comparedLists(header.list, names.list),
    ...names.faults,
    ...hidden.map((each) => `\`${each}\` hides what _partition.lua calls so`),
    ...bareUses(text, statements),
  ];
  return faults.map((fault) => `${name}.lua${fault.startsWith(':') ? '' : ': '}${fault}. ${RULE}`);
}

/** The names that the shared part declares for every script, so that no script may use one for an argument. */
export function sharedNamesOf(text: string): string[] {
  const locals = [...text.matchAll(/^local (?:function (\w+)|([\w, ]+))/gm)];
  return locals
    .flatMap(([, one, many = '']) => (one === undefined ? many.split(',') : [one]))
    .map((each) => each.trim());
}

function headerOf(head: string): Header {
  const lines = (word: string) => new RegExp(`^-- ${word} (.*(?:\\n-- {6}.*)*)`, 'm').exec(head)?.[1] ?? '';
  const tokens = (word: string) =>
    lines(word)
      .replace('(none)', '')
      .match(/\([^)]*\)\.\.\.|[\w.:]+/g) ?? [];
  const args = tokens('ARGV');
  return {
    keys: tokens('KEYS'),
    fixed: args.filter((each) => !each.endsWith('...')),
    list: args.find((each) => each.endsWith('...')),
    explained: [...head.matchAll(/^-- {3}((?:\w+, )*\w+): /gm)].flatMap(([, names = '']) => names.split(', ')),
  };
}

function everyNameOf({ keys, fixed, list = '' }: Header): string[] {
  return [...keys, ...fixed, ...(list.match(/\w+/g) ?? [])];
}

function namesOf(statements: readonly string[]): Names {
  const keys: string[] = [];
  const fixed: string[] = [];
  const faults: string[] = [];
  let list: string | undefined;
  for (const statement of statements) {
    const [, left = '', right = ''] = /^local ([\w,\s]+?)\s*=\s*([^]*)$/.exec(statement) ?? [];
    const first = fixed.length + 1;
    const begins = /\{ unpack\(ARGV, (\d+)\) \}/.exec(right)?.[1];
    if (begins !== undefined) {
      list = UNNAMED;
      if (Number(begins) !== first)
        faults.push(`the list begins at ${begins}, and the names before it end at ${first - 1}`);
      continue;
    }
    const names = left.split(/,\s*/);
    keys.push(...names.splice(0, right.match(/KEYS\[\d+\]/g)?.length ?? 0));
    fixed.push(...names);
    const last = lastArgumentOf(right) ?? first - 1;
    if (fixed.length !== last) faults.push(`${names.length} names receive the arguments ${first} to ${last}`);
    list ??= /arguments\(\d+, '([^']+)'\)/.exec(right)?.[1];
  }
  return { keys, fixed, list, faults };
}

/** The number of the last argument that an expression takes, if it takes any. */
function lastArgumentOf(expression: string): number | undefined {
  const last = /arguments\((\d+)|unpack\(ARGV, \d+, (\d+)\)|ARGV\[(\d+)\](?!.*ARGV)/.exec(expression);
  return last ? Number(last[1] ?? last[2] ?? last[3]) : undefined;
}

function compared(what: string, listed: readonly string[], named: readonly string[]): string[] {
  const [a, b] = [listed.join(' '), named.join(' ')];
  return a === b ? [] : [`the header lists the ${what} \`${a}\`, and the script names \`${b}\``];
}

function comparedLists(listed: string | undefined, taken: string | undefined): string[] {
  const isSame = taken === UNNAMED ? listed !== undefined : listed === taken;
  if (isSame) return [];
  const [a, b] = [listed, taken].map((each) => (each === undefined ? 'no list' : `\`${each}\``));
  return [`the header lists ${a}, and the script takes ${b}`];
}

/** The lines that use keys or arguments by their number, outside of the statements that name them. */
function bareUses(text: string, statements: readonly string[]): string[] {
  let code = text;
  for (const each of statements) code = code.replace(each, (found) => '\n'.repeat(found.split('\n').length - 1));
  return code.split('\n').flatMap((line, i) => {
    const [, found] = /\b(KEYS|ARGV)\b/.exec(line.replace(/--.*$/, '')) ?? [];
    return found ? [`:${i + 1}: \`${found}\` below the names`] : [];
  });
}
