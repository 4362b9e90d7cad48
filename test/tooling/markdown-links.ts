/** The targets of all links and images of a page, as they are written. */
export function linksOf(text: string): string[] {
  const prose = withoutCode(text).replace(/`[^`\n]*`/g, '');
  const inline = [...prose.matchAll(/\]\((?:<([^>]*)>|([^)\s]+))[^)]*\)/g)];
  const references = [...prose.matchAll(/^\[[^\]]+\]: (\S+)/gm)];
  return [...inline.map(([, quoted, bare = '']) => quoted ?? bare), ...references.map(([, target = '']) => target)];
}

/** The anchors of a page: those that GitHub makes of its headings, and its own. */
export function anchorsOf(text: string): Set<string> {
  const prose = withoutCode(text);
  const anchors = new Set<string>();
  for (const [, heading = ''] of prose.matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const slug = slugOf(heading);
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  for (const [, own = ''] of prose.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(own);
  return anchors;
}

/**
 * The anchor that GitHub makes of a heading: without markup, in lower case, with letters, digits, `_` and `-` only, and
 * with a `-` for each space.
 */
function slugOf(heading: string): string {
  const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '');
  return plain
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
    .replace(/ /g, '-');
}

function withoutCode(text: string): string {
  return text.replace(/^ *(```|~~~)[\s\S]*?^ *\1/gm, '');
}
