import ts from 'typescript';

/** The comments and the names of tests of a source file, or the paragraphs of a page, each as one line of text. */
export function proseOf(file: string, text: string): string[] {
  const pieces = piecesOf(file, text);
  return pieces.map((piece) => piece.replace(/\s+/g, ' ').trim()).filter((piece) => piece !== '');
}

function piecesOf(file: string, text: string): string[] {
  if (file.endsWith('.md')) return paragraphsOf(text);
  if (file.endsWith('.lua')) return luaCommentsOf(text);
  if (file.endsWith('.pml')) return [...text.matchAll(/\/\*[\s\S]*?\*\//g)].map(([comment]) => bare(comment));
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  return [...commentsOf(source), ...(/spec\.ts$|contract\//.test(file) ? testNamesOf(source) : [])];
}

function paragraphsOf(text: string): string[] {
  const withoutCode = text.replace(/^ *```[\s\S]*?^ *```/gm, '');
  return withoutCode.split(/\n{2,}|\n(?=\s*[-*|] )/).map((paragraph) => paragraph.replace(/^[\s#>|*-]+/, ''));
}

/** A line that holds only a comment continues the comment before it. */
function luaCommentsOf(text: string): string[] {
  const comments = text.match(/--.*(?:\n[ \t]*--.*)*/g) ?? [];
  return comments.map((comment) => comment.replace(/^[ \t]*--+ ?/gm, ' '));
}

/**
 * The comments are found by means of the syntax tree, because a text that looks like a comment may be part of a string.
 */
function commentsOf(source: ts.SourceFile): string[] {
  const { text } = source;
  const found = new Map<number, number>();
  const visit = (node: ts.Node): void => {
    const ranges = [
      ...(ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []),
      ...(ts.getTrailingCommentRanges(text, node.getEnd()) ?? []),
    ];
    for (const { pos, end } of ranges) found.set(pos, end);
    node.forEachChild(visit);
  };
  visit(source);
  const comments: string[] = [];
  let endBefore = -1;
  for (const [start, end] of [...found].sort(([a], [b]) => a - b)) {
    const comment = bare(text.slice(start, end));
    const continues =
      /^[ \t]*\n[ \t]*$/.test(text.slice(Math.max(0, endBefore), start)) && text.startsWith('//', start);
    if (continues) comments.push(`${comments.pop() ?? ''} ${comment}`);
    else comments.push(comment);
    endBefore = end;
  }
  return comments;
}

/** The names that `describe`, `it`, `test` and their variants are called with, where they are plain texts. */
function testNamesOf(source: ts.SourceFile): string[] {
  const names: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /^(?:describe|it|test)\b/.test(source.text.slice(node.getStart(source)))) {
      const [name] = node.arguments;
      if (name && ts.isStringLiteralLike(name)) names.push(name.text);
    }
    node.forEachChild(visit);
  };
  visit(source);
  return names;
}

/** The text of a comment, without the signs around it and at the beginning of its lines. */
function bare(comment: string): string {
  return comment
    .replace(/^\/\*+|\*\/$/g, '')
    .replace(/^\/\/ ?/, '')
    .replace(/^\s*\* ?/gm, ' ');
}
