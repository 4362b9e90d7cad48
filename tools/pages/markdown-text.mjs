const FENCE = /^ {0,3}(`{3,}(?!.*`)|~{3,})/;
const HEADING = /^ {0,3}#{1,6}(?:\s|$)/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const UNDERLINE = /^ {0,3}(?:=+|-+)[ \t]*$/;
const QUOTE = /^ {0,3}>/;
const ITEM = /^( {0,3}(?:[-+*]|\d{1,9}[.)]))(?: (.*))?$/;
/** What begins an item inside a paragraph. There a number other than 1, or an item without text, is plain text. */
const ITEM_IN_PARAGRAPH = /^ {0,3}(?:[-+*]|1[.)]) +\S/;
const HTML_NAMES =
  'address|article|aside|blockquote|body|caption|center|col|colgroup|dd|details|dialog|div|dl|dt|fieldset|figcaption|' +
  'figure|footer|form|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|nav|ol|optgroup|option|p|pre|script|' +
  'search|section|style|summary|table|tbody|td|textarea|tfoot|th|thead|title|tr|track|ul';
const HTML = new RegExp(`^ {0,3}<(?:[!?]|/?(?:${HTML_NAMES})(?:\\s|/?>|$))`, 'i');
/** Any other tag, which begins HTML only if it is alone on its line and no paragraph is open. */
const LONE_TAG = /^ {0,3}<\/?[a-z][\w-]*(?:\s[^<>]*)?>\s*$/i;
const HTML_CLOSINGS = [
  [/^ *<!--/, /-->/],
  [/^ *<\?/, /\?>/],
  [/^ *<![a-z]/i, />/],
  [/^ *<(?:pre|script|style|textarea)(?:\s|>|$)/i, /<\/(?:pre|script|style|textarea)>/i],
];
const DEFINITION = /^ {0,3}\[[^\]]+\]:/;
const TABLE_DELIMITER = /^ *\|?(?: *:?-+:? *\|)+(?: *:?-+:?)? *$/;
const HARD_BREAK = /(?: {2,}| *\\|)$/;
/** Words that would begin a block (a heading, an item, a quote …) or be a hard break if a line began with them. */
const BLOCK_START =
  /^(?:#{1,6}$|[-+*]$|\d{1,9}[.)]$|>|\||`{3}|~{3}|<[a-z!?/](?!\w*:\/\/)|([-*_])\1*$|=+$|:?-+:?(?:\||$)|\\$)/i;

/**
 * The page with its paragraphs, items and quotes wrapped at the width. It renders the same: all other blocks keep their
 * lines, and no line breaks inside inline code, inside the address of a link, or before a word that would begin a
 * block.
 */
export function wrapMarkdown(text, width = 120) {
  const lines = text.split('\n');
  const start = frontMatterEnd(lines);
  return [...lines.slice(0, start), ...print(blocksOf(lines.slice(start)), width)].join('\n');
}

function frontMatterEnd(lines) {
  return lines[0] === '---' ? lines.indexOf('---', 1) + 1 : 0;
}

function print(blocks, width) {
  return blocks.flatMap(({ kind, lines, marker }) => {
    if (kind === 'paragraph') return fill(lines, width);
    if (kind === 'quote') return print(blocksOf(lines), width - 2).map((line) => (line === '' ? '>' : `> ${line}`));
    if (kind === 'item') return printItem(marker, print(blocksOf(lines), width - marker.length));
    return lines;
  });
}

function printItem(marker, [first, ...others]) {
  const hanging = ' '.repeat(marker.length);
  return [
    first === '' ? marker.trimEnd() : marker + first,
    ...others.map((line) => (line === '' ? '' : hanging + line)),
  ];
}

/** The blocks of a page, or of a quote or item whose own marks are already removed. Together they hold every line. */
function blocksOf(lines) {
  const blocks = [];
  for (let at = 0; at < lines.length;) {
    const block = blockAt(lines, at);
    blocks.push(block);
    at += block.taken;
  }
  return blocks;
}

function blockAt(lines, at) {
  const line = lines[at];
  const verbatim = (taken) => ({ kind: 'verbatim', lines: lines.slice(at, at + taken), taken });
  if (line.trim() === '' || isIndentedCode(line)) return verbatim(1);
  if (FENCE.test(line)) return verbatim(fenceLength(lines, at));
  if (HEADING.test(line) || RULE.test(line)) return verbatim(1);
  if (DEFINITION.test(line)) return verbatim(1);
  if (HTML.test(line) || LONE_TAG.test(line)) return verbatim(htmlLength(lines, at));
  if (isTableAt(lines, at)) return verbatim(tableLength(lines, at));
  if (QUOTE.test(line)) return quoteAt(lines, at);
  if (ITEM.test(line)) return itemAt(lines, at);
  const length = paragraphLength(lines, at);
  if (UNDERLINE.test(lines[at + length] ?? '')) return verbatim(length + 1);
  if (hasBoundMark(lines.slice(at, at + length))) return verbatim(length);
  return { kind: 'paragraph', lines: lines.slice(at, at + length), taken: length };
}

/**
 * Whether a line must stay where it is, because it is a hard break alone, or because it follows one and only its
 * indentation keeps it from beginning a block.
 */
function hasBoundMark(lines) {
  const isBound = (line, before) => HARD_BREAK.exec(before)[0] !== '' && BLOCK_START.test(firstWord(line));
  return lines.some((line, index) => line.trim() === '\\' || (index > 0 && isBound(line, lines[index - 1])));
}

/** Only for a line after no open paragraph: inside a paragraph an indented line is text. */
function isIndentedCode(line) {
  return /^(?: {4}|\t)/.test(line);
}

function fenceLength(lines, at) {
  const [, fence] = FENCE.exec(lines[at]);
  const closing = new RegExp(`^ {0,3}${fence[0]}{${fence.length},}\\s*$`);
  const end = lines.findIndex((line, index) => index > at && closing.test(line));
  return (end < 0 ? lines.length : end + 1) - at;
}

function isTableAt(lines, at) {
  return lines[at].includes('|') && TABLE_DELIMITER.test(lines[at + 1] ?? '');
}

function tableLength(lines, at) {
  const isAfter = (line) => line.trim() === '' || [FENCE, HEADING, RULE, QUOTE, ITEM, HTML].some((b) => b.test(line));
  const end = lines.findIndex((line, index) => index > at + 1 && isAfter(line));
  return (end < 0 ? lines.length : end) - at;
}

/**
 * Most HTML ends at an empty line. A comment, a declaration, and an element such as `<pre>` end at their closing mark.
 */
function htmlLength(lines, at) {
  const [, closing] = HTML_CLOSINGS.find(([opening]) => opening.test(lines[at])) ?? [];
  if (closing === undefined) return lengthUntilEmpty(lines, at);
  const end = lines.findIndex((line, index) => index >= at && closing.test(line));
  return (end < 0 ? lines.length : end + 1) - at;
}

function lengthUntilEmpty(lines, at) {
  const end = lines.findIndex((line, index) => index > at && line.trim() === '');
  return (end < 0 ? lines.length : end) - at;
}

function paragraphLength(lines, at) {
  let end = at + 1;
  while (end < lines.length && !endsParagraph(lines, end)) end += 1;
  return end - at;
}

function endsParagraph(lines, at) {
  const line = lines[at];
  const isBlock = [FENCE, HEADING, RULE, UNDERLINE, QUOTE, HTML, ITEM_IN_PARAGRAPH].some((block) => block.test(line));
  return line.trim() === '' || isBlock || isTableAt(lines, at);
}

function quoteAt(lines, at) {
  const inside = [];
  for (const line of lines.slice(at)) {
    if (QUOTE.test(line)) inside.push(line.replace(/^ {0,3}> ?/, ''));
    else if (continuesLazily(line, inside)) inside.push(line.trimStart());
    else break;
  }
  return { kind: 'quote', lines: inside, taken: inside.length };
}

function itemAt(lines, at) {
  const [, bullet, rest = ''] = ITEM.exec(lines[at]);
  const spaces = /^ {0,3}(?=\S)/.exec(rest)?.[0] ?? '';
  const marker = `${bullet} ${spaces}`;
  const inside = [rest.slice(spaces.length)];
  for (const line of lines.slice(at + 1)) {
    if (line.trim() === '') {
      if (inside.length === 1 && inside[0] === '') break; // an empty item
      inside.push('');
    } else if (line.startsWith(' '.repeat(marker.length))) inside.push(line.slice(marker.length));
    else if (continuesLazily(line, inside)) inside.push(line.trimStart());
    else break;
  }
  // Empty lines at the end of an item separate it from what follows, and do not belong to it.
  while (inside.length > 1 && inside.at(-1) === '') inside.pop();
  return { kind: 'item', marker, lines: inside, taken: inside.length };
}

function firstWord(line) {
  return line.trim().split(/\s/)[0];
}

/** Whether a line without the container's marks belongs to the paragraph with which the container's lines end. */
function continuesLazily(line, inside) {
  // With the container's marks, such a word would begin a block.
  return line.trim() !== '' && !BLOCK_START.test(firstWord(line)) && endsInParagraph(inside);
}

function endsInParagraph(lines) {
  const last = blocksOf(lines).at(-1);
  if (last.kind === 'paragraph') return true;
  return (last.kind === 'quote' || last.kind === 'item') && endsInParagraph(last.lines);
}

/** A paragraph's lines, filled behind the first one's indentation; a hard break stays where it is. */
function fill(lines, width) {
  const [indentation] = /^ */.exec(lines[0]);
  const filled = [];
  let part = [];
  for (const [index, line] of lines.entries()) {
    const [hardBreak] = HARD_BREAK.exec(line);
    part.push(line.slice(0, line.length - hardBreak.length).trim());
    if (hardBreak === '' && index < lines.length - 1 && !isAlertMark(lines, index)) continue;
    const broken = fillWords(wordsOf(part.join(' ')), width - indentation.length);
    filled.push(...broken.slice(0, -1), broken.at(-1) + hardBreak);
    part = [];
  }
  return filled.map((line) => indentation + line);
}

/** GitHub shows a quote as a note or a warning only while its mark has a line for itself. */
function isAlertMark(lines, index) {
  return index === 0 && /^\s*\[![A-Z]+\]\s*$/.test(lines[0]);
}

function fillWords(words, width) {
  const lines = [''];
  for (const word of words) {
    const line = lines.at(-1);
    if (line === '') lines[lines.length - 1] = word;
    else if (lengthOf(line) + 1 + lengthOf(word) <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function lengthOf(text) {
  return [...text].length;
}

/** The pieces between which a line may break: code, a link's address and a tag are never divided. */
function wordsOf(text) {
  const words = [];
  let word = '';
  const finish = () => {
    if (word === '') return;
    if (words.length > 0 && isTied(words.at(-1), word, words.length)) words.push(`${words.pop()} ${word}`);
    else words.push(word);
    word = '';
  };
  for (let at = 0; at < text.length;) {
    const piece = pieceAt(text, at);
    if (piece === ' ' || piece === '\t') finish();
    else word += piece;
    at += piece.length;
  }
  finish();
  return words;
}

/**
 * Whether a word must follow the one before it on the same line: at the beginning of a line it would begin a block, the
 * one before it would be a hard break at the end of its line, or a block if it were alone on the first line.
 */
function isTied(before, word, count) {
  const isFirst = count === 1 && before.split(' ').every((each) => BLOCK_START.test(each));
  return BLOCK_START.test(word) || before.endsWith('\\') || isFirst;
}

/** The code, address, tag, escape or single character that begins here. */
function pieceAt(text, at) {
  const rest = text.slice(at);
  const [ticks] = /^`*/.exec(rest);
  if (ticks !== '') {
    const end = new RegExp(`(?<!\`)${ticks}(?!\`)`).exec(rest.slice(ticks.length));
    return end ? rest.slice(0, 2 * ticks.length + end.index) : ticks;
  }
  const [whole] = /^(?:\\\S|\]\((?:[^()]|\([^()]*\))*\)|<\/?[a-z][^<>]*>)/i.exec(rest) ?? [text[at]];
  return whole;
}
