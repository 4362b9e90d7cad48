/** How the text of an environment variable becomes a value. `parse` returns undefined for text that does not fit. */
export interface ValueKind<T> {
  /** What fits, as the end of the sentence "expected …". */
  readonly expected: string;
  parse(text: string): T | undefined;
}

/** Any text that matches `pattern`, which must be anchored. */
export function text(expected: string, pattern: RegExp): ValueKind<string> {
  return { expected, parse: (given) => (pattern.test(given) ? given : undefined) };
}

/** Any text on one line, at most 4,096 characters. */
export const oneLine: ValueKind<string> = text('text on one line', /^[^\r\n]{1,4096}$/);

/** A whole number in digits alone, both limits included. */
export function wholeNumber(min: number, max: number): ValueKind<number> {
  return {
    expected: `a whole number from ${min} to ${max}`,
    parse: (given) => {
      const number = /^\d{1,15}$/.test(given) ? Number(given) : NaN;
      return number >= min && number <= max ? number : undefined;
    },
  };
}

/** 32 random bytes in base64. The key of 32 zero bytes is refused: it is what an empty buffer becomes. */
export const key32: ValueKind<string> = {
  expected: '32 random bytes in base64, from openssl rand -base64 32; not all of them zero',
  parse: (given) =>
    /^[A-Za-z0-9+/]{43}=$/.test(given) && Buffer.from(given, 'base64').some((byte) => byte !== 0) ? given : undefined,
};

/** A TCP port; 0 lets the system choose a free one. */
export const port: ValueKind<number> = wholeNumber(0, 65_535);

/** One of these words, in exactly this spelling. */
export function oneOf<const T extends string>(...words: readonly T[]): ValueKind<T> {
  return { expected: `one of ${words.join(', ')}`, parse: (given) => words.find((word) => word === given) };
}

const booleans = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

/** `true`, `1`, `false` or `0`. */
export const boolean: ValueKind<boolean> = { expected: 'true or false', parse: (given) => booleans.get(given) };

/** An absolute URL with one of these schemes (such as `https:`), kept as written. Credentials in it are refused. */
export function url(...schemes: readonly string[]): ValueKind<string> {
  return {
    expected: `a URL that starts with ${schemes.map((scheme) => `${scheme}//`).join(' or ')} and holds no user or password`,
    parse: (given) => {
      const parsed = URL.canParse(given) ? new URL(given) : undefined;
      if (!parsed?.hostname || !schemes.includes(parsed.protocol) || parsed.username || parsed.password)
        return undefined;
      return given;
    },
  };
}

/** An `http` or `https` URL. */
export const httpUrl: ValueKind<string> = url('https:', 'http:');

/** The parts between commas, each parsed; undefined if one of them does not fit. */
export function listOf<T>(given: string, parse: (part: string) => T | undefined): readonly T[] | undefined {
  const parts = given.split(',');
  const values = parts.map(parse).filter((value) => value !== undefined);
  return values.length === parts.length ? values : undefined;
}

/** A host name or an IP address. Only the characters are checked, not the form. */
export const hostName: ValueKind<string> = text('a host name or an IP address', /^[A-Za-z0-9.:_-]{1,253}$/);
