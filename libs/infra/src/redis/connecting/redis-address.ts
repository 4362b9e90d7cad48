/** A network address; the host is a name or an IP address without brackets. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/**
 * The URL of one Redis server; it may hold a user, a password and a database number. The query may only be `family` (4,
 * 6, or 0 for both): the client would accept any option there, even another password.
 */
export const redisUrl = {
  expected:
    'a URL such as redis://127.0.0.1:6379 or rediss://user:password@host:6379/0, in which a % of the password is written as %25 and nothing follows a ? but family=6',
  parse: (given: string): string | undefined => {
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
