import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

/** How the text of an environment variable becomes a value. `parse` returns undefined for text that does not fit. */
export interface ValueKind<T> {
  /** What fits, as the end of the sentence "expected …". */
  readonly expected: string;
  parse(text: string): T | undefined;
}

/** A network address; the host is a name or an IP address without brackets. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Key material of 32 bytes in base64, and the id by which encrypted values name it. */
export interface EncryptionKeyText {
  readonly id: string;
  readonly base64: string;
}

/** Any text that matches `pattern`, which must be anchored. */
export function text(expected: string, pattern: RegExp): ValueKind<string> {
  return { expected, parse: (given) => (pattern.test(given) ? given : undefined) };
}

/** Any text on one line, at most 4,096 characters. */
export const oneLine: ValueKind<string> = text('text on one line', /^[^\r\n]{1,4096}$/);

/** A whole number, both limits included. */
export function wholeNumber(min: number, max: number): ValueKind<number> {
  return {
    expected: `a whole number from ${min} to ${max}`,
    parse: (given) => {
      const number = /^\d{1,15}$/.test(given) ? Number(given) : NaN;
      return number >= min && number <= max ? number : undefined;
    },
  };
}

/** A TCP port; 0 lets the system choose a free one. */
export const port: ValueKind<number> = wholeNumber(0, 65_535);

/** One of these words. */
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

/** An absolute URL with one of these schemes (`https:`), kept as written. Credentials in it are refused. */
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

/**
 * The URL of one Redis server; it may hold a user, a password and a database number. The query may only be `family` (4,
 * 6, or 0 for both): the client would accept any option there, even another password.
 */
export const redisUrl: ValueKind<string> = {
  expected:
    'a URL such as redis://127.0.0.1:6379 or rediss://user:password@host:6379/0, in which a % of the password is written as %25 and nothing follows a ? but family=6',
  parse: (given) => {
    const parsed = URL.canParse(given) ? new URL(given) : undefined;
    if (!parsed?.hostname || !/^rediss?:$/.test(parsed.protocol) || !/^(\/\d*)?$/.test(parsed.pathname))
      return undefined;
    if (!/^(\?family=[046])?$/.test(parsed.search) || given.includes('#')) return undefined;
    return isDecodable(parsed.username) && isDecodable(parsed.password) ? given : undefined;
  },
};

function isDecodable(part: string): boolean {
  try {
    decodeURIComponent(part);
    return true;
  } catch {
    return false; // a bare % or no UTF-8: the caller reports it in the words of `expected`
  }
}

/** One or more addresses. */
export const addresses: ValueKind<readonly HostAndPort[]> = {
  expected: 'one or more addresses such as 10.0.0.1:26379,10.0.0.2:26379',
  parse: (given) => all(given.split(','), parseAddress),
};

function parseAddress(given: string): HostAndPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(given.trim());
  const host = match?.[1] ?? match?.[2];
  const portNumber = Number(match?.[3]);
  return host && portNumber >= 1 && portNumber <= 65_535 ? { host, port: portNumber } : undefined;
}

/** One or more keys of 32 bytes with different ids. */
export const encryptionKeys: ValueKind<readonly EncryptionKeyText[]> = {
  expected: 'one or more keys such as 2026a:<32 bytes in base64>, separated by commas, each with an id of its own',
  parse: (given) => {
    const keys = all(given.split(','), parseEncryptionKey);
    return keys && new Set(keys.map((key) => key.id)).size === keys.length ? keys : undefined;
  },
};

function parseEncryptionKey(given: string): EncryptionKeyText | undefined {
  const match = /^([A-Za-z0-9._-]{1,32}):([A-Za-z0-9+/]{43}=)$/.exec(given.trim());
  return match?.[1] && match[2] ? { id: match[1], base64: match[2] } : undefined;
}

/**
 * An RSA private key as PEM text, as PEM on one line with `
 * ` written out, or as base64 of the PEM; the value is PEM text.
 */
export const privateKey: ValueKind<string> = {
  expected: 'an RSA private key in PEM form, or the base64 of it',
  parse: (given) => {
    const pem = given.includes('-----BEGIN') ? given.replaceAll('\\n', '\n') : Buffer.from(given, 'base64').toString();
    try {
      return createPrivateKey(pem).asymmetricKeyType === 'rsa' ? pem : undefined;
    } catch {
      return undefined; // not a key: the caller reports it in the words of `expected`
    }
  },
};

/** One or more TLS certificates: PEM text, or the path of a file that holds it; the value is PEM text. */
export const certificates: ValueKind<string> = pem(
  'the path of a file with certificates in PEM form, or that text itself',
  (text) => createSecureContext({ ca: text, cert: text }),
);

/** A TLS private key, given and returned like `certificates`. */
export const tlsKey: ValueKind<string> = pem(
  'the path of a file with a private key in PEM form and without a passphrase, or that text itself',
  (text) => createPrivateKey(text),
);

function pem(expected: string, check: (text: string) => unknown): ValueKind<string> {
  const parse = (given: string) => {
    try {
      const text = given.includes('-----BEGIN') ? given.replaceAll('\\n', '\n') : readFileSync(given, 'utf8');
      check(text);
      return text;
    } catch {
      return undefined; // no such file, or wrong content: the caller reports it in the words of `expected`
    }
  };
  return { expected, parse };
}

function all<T>(parts: readonly string[], parse: (part: string) => T | undefined): readonly T[] | undefined {
  const values = parts.map(parse).filter((value) => value !== undefined);
  return values.length === parts.length ? values : undefined;
}
