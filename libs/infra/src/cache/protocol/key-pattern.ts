/**
 * Maximum keys in a page. A caller has the store delete or measure the keys of a page in one step, which must be short.
 */
const PAGE = 500;

/**
 * A pattern over whole keys: `*` matches any text, `?` one character, and `\` makes the next character literal.
 * Everything else, `.` and `[` included, matches itself. Matching takes at most pattern length × key length steps, for
 * any pattern.
 */
export class KeyPattern {
  private readonly tokens: readonly Token[];

  constructor(pattern: string) {
    const tokens: Token[] = [];
    const chars = [...pattern];
    for (let i = 0; i < chars.length; i++) {
      const char = chars[i] as string;
      if (char === '*') {
        if (tokens.at(-1) !== ANY_TEXT) tokens.push(ANY_TEXT);
      } else if (char === '?') tokens.push(ANY_CHAR);
      else if (char === '\\' && i + 1 < chars.length) tokens.push({ literal: chars[++i] });
      else tokens.push({ literal: char });
    }
    this.tokens = tokens;
  }

  /** The keys that match, in pages; no page is empty. */
  async *pages(keys: AsyncIterable<string[]>): AsyncIterable<string[]> {
    for await (const some of keys) {
      const matched = some.filter((key) => this.matches(key));
      for (let i = 0; i < matched.length; i += PAGE) yield matched.slice(i, i + PAGE);
    }
  }

  matches(key: string): boolean {
    const chars = [...key];
    let c = 0;
    let t = 0;
    let starAt = -1;
    let starTook = 0;
    while (c < chars.length) {
      const token = this.tokens[t];
      if (token === ANY_TEXT) {
        starAt = t++;
        starTook = c;
      } else if (token && (token === ANY_CHAR || token.literal === chars[c])) {
        t++;
        c++;
      } else if (starAt >= 0) {
        t = starAt + 1;
        c = ++starTook;
      } else return false;
    }
    while (this.tokens[t] === ANY_TEXT) t++;
    return t === this.tokens.length;
  }
}

type Token = { readonly literal: string | undefined };
const ANY_TEXT: Token = { literal: undefined };
const ANY_CHAR: Token = { literal: undefined };
