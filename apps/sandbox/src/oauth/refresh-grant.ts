import type { Sessions } from './sessions.js';

/**
 * The token that the refresh-token grant takes. It is fixed, because the sandbox has no web login that would give one.
 */
export const REFRESH_TOKEN = 'sandbox-refresh-token';

/** The one refresh token. Once revoked, it stays invalid until the sandbox ends. */
export class RefreshGrant {
  private readonly accessTokens = new Set<string>();
  private isRevoked = false;

  constructor(private readonly sessions: Sessions) {
    sessions.onRevoked((token) => this.accessTokens.delete(token));
  }

  isValid(token: string | undefined): boolean {
    return token === REFRESH_TOKEN && !this.isRevoked;
  }

  /** A new access token, which ends with the refresh token. */
  issue(): string {
    const token = this.sessions.issue();
    this.accessTokens.add(token);
    return token;
  }

  /**
   * Revokes the refresh token and every access token that it has given (Salesforce help, "Revoke OAuth Tokens"); false
   * if `token` is not the valid refresh token.
   */
  revoke(token: string): boolean {
    if (!this.isValid(token)) return false;
    this.isRevoked = true;
    for (const accessToken of [...this.accessTokens]) this.sessions.revoke(accessToken);
    return true;
  }
}
