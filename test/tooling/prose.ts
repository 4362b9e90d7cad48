import ts from 'typescript';

/** The comments of a source file, or the paragraphs of a page, each as one line of text. */
export function proseOf(file: string, text: string): string[] {
  const pieces = piecesOf(file, text);
  return pieces.map((piece) => piece.replace(/\s+/g, ' ').trim()).filter((piece) => piece !== '');
}

function piecesOf(file: string, text: string): string[] {
  if (file.endsWith('.md')) return paragraphsOf(text);
  if (file.endsWith('.lua')) return [...text.matchAll(/--(.*)$/gm)].map(([, comment = '']) => comment);
  if (file.endsWith('.pml')) return [...text.matchAll(/\/\*[\s\S]*?\*\//g)].map(([comment]) => bare(comment));
  return commentsOf(file, text).map(bare);
}

function paragraphsOf(text: string): string[] {
  const withoutCode = text.replace(/^ *```[\s\S]*?^ *```/gm, '');
  return withoutCode.split(/\n{2,}|\n(?=\s*[-*|] )/).map((paragraph) => paragraph.replace(/^[\s#>|*-]+/, ''));
}

/** Found by the tree: a text that looks like a comment may be part of a string. */
function commentsOf(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found = new Map<number, string>();
  const visit = (node: ts.Node): void => {
    const ranges = [
      ...(ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []),
      ...(ts.getTrailingCommentRanges(text, node.getEnd()) ?? []),
    ];
    for (const { pos, end } of ranges) found.set(pos, text.slice(pos, end));
    node.forEachChild(visit);
  };
  visit(source);
  return [...found].sort(([a], [b]) => a - b).map(([, comment]) => comment);
}

/** Without what makes it a comment. */
function bare(comment: string): string {
  return comment
    .replace(/^\/\*+|\*\/$/g, '')
    .replace(/^\/\/ ?/, '')
    .replace(/^\s*\* ?/gm, ' ');
}
