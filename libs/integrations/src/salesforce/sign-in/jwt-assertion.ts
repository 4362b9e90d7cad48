import { createPrivateKey } from 'node:crypto';
import { SignJWT } from 'jose';
import type { JwtBearerCredentials } from '../salesforce.options.js';

/**
 * How long an assertion is valid. Salesforce refuses one that is valid for longer than 3 minutes (5, to allow for
 * clocks that differ).
 */
const VALID_SECONDS = 170;

/** The signed assertion of the JWT bearer grant (RFC 7523; Salesforce Help, "OAuth 2.0 JWT Bearer Flow"). */
export function signAssertion(credentials: JwtBearerCredentials, audience: string): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg: 'RS256' })
    .setIssuer(credentials.clientId)
    .setSubject(credentials.username)
    .setAudience(audience)
    .setIssuedAt(now)
    .setExpirationTime(now + VALID_SECONDS)
    .sign(createPrivateKey(credentials.privateKey));
}
