import { randomBytes } from 'node:crypto';

/** Maximum concurrent sessions; beyond it the oldest ends, as in an org whose user signs in too often. */
const SESSIONS_MAX = 10_000;

/** The valid access tokens. They expire by real time, whatever the org's clock says. */
export class Sessions {
  private readonly expiresAt = new Map<string, number>();
  private readonly listeners = new Set<(token: string) => void>();

  constructor(
    private readonly organizationId: string,
    private readonly sessionSeconds: number,
  ) {}

  /**
   * Creates an access token in Salesforce's form, `<org id, 15 characters>!<secret>`, by which clients recognise and
   * mask it.
   */
  issue(): string {
    const secret = randomBytes(48).toString('base64url').replaceAll('-', '.');
    const token = `${this.organizationId.slice(0, 15)}!${secret}`;
    this.expiresAt.set(token, Date.now() + this.sessionSeconds * 1000);
    const oldest = this.expiresAt.size > SESSIONS_MAX ? this.expiresAt.keys().next().value : undefined;
    if (oldest !== undefined) this.revoke(oldest);
    return token;
  }

  isValid(token: string): boolean {
    const expiresAt = this.expiresAt.get(token);
    if (expiresAt !== undefined && expiresAt <= Date.now()) this.revoke(token);
    return this.expiresAt.has(token);
  }

  /** Ends a session at once; false if there was none. */
  revoke(token: string): boolean {
    const had = this.expiresAt.delete(token);
    if (had) for (const listener of this.listeners) listener(token);
    return had;
  }

  /** Ends all sessions; returns how many there were. */
  revokeAll(): number {
    const tokens = [...this.expiresAt.keys()];
    for (const token of tokens) this.revoke(token);
    return tokens.length;
  }

  /** Calls back with every token that is revoked or found expired. */
  onRevoked(listener: (token: string) => void): void {
    this.listeners.add(listener);
  }
}

/**
 * The token of an `Authorization` header. REST clients send `Bearer`, streaming clients `OAuth`; every endpoint takes
 * both.
 */
export function tokenOf(authorization: string | undefined): string | undefined {
  return /^(?:Bearer|OAuth) +(\S+)$/i.exec(authorization ?? '')?.[1];
}
