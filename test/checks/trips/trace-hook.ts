import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/**
 * Matches the files of this project that a trip may pass through. Packages, the worker and the sandbox are not counted.
 */
const COUNTED = /\/dist\/(libs\/.*|apps\/bff\/.*)\.js$/;

interface Loaded {
  readonly format: string;
  readonly shortCircuit?: boolean;
  readonly source?: string;
}

/** A module hook of Node: makes every function of a counted file note its file when it is entered. */
export async function load(
  url: string,
  context: unknown,
  next: (url: string, context: unknown) => Promise<Loaded>,
): Promise<Loaded> {
  const [, file] = COUNTED.exec(url) ?? [];
  if (file === undefined) return next(url, context);
  const text = await readFile(fileURLToPath(url), 'utf8');
  return { format: 'module', shortCircuit: true, source: noting(file, text) };
}

/** The text with a call of `globalThis.enteredFile` at the beginning of each function. */
function noting(file: string, text: string): string {
  const call = `globalThis.enteredFile?.(${JSON.stringify(file)})`;
  const inserts: { readonly at: number; readonly what: string }[] = [];
  const visit = (node: ts.Node): void => {
    const body = ts.isFunctionLike(node) ? (node as ts.FunctionLikeDeclaration).body : undefined;
    if (body && ts.isBlock(body)) inserts.push({ at: body.getStart() + 1, what: ` ${call};` });
    else if (body) inserts.push({ at: body.getStart(), what: `(${call}, ` }, { at: body.end, what: ')' });
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  let result = text;
  // Inserts from the end, because an insertion moves what follows. Where two insertions meet, that of the inner
  // function is made first.
  const ordered = inserts.map((insert, i) => ({ ...insert, i })).sort((a, b) => b.at - a.at || b.i - a.i);
  for (const { at, what } of ordered) result = result.slice(0, at) + what + result.slice(at);
  return result;
}
