import { createPublicKey, type KeyObject } from 'node:crypto';
import { errors, jwtVerify } from 'jose';

/** The refusal of an assertion, with an error code of Salesforce's token endpoint. */
export class AssertionRefused extends Error {
  constructor(
    readonly error: 'invalid_grant' | 'invalid_client_id',
    description: string,
  ) {
    super(description);
    this.name = 'AssertionRefused';
  }
}

/**
 * The claims that an assertion must have (Salesforce help, "OAuth 2.0 JWT Bearer Flow"): the client as `iss`, the user
 * as `sub`, one of the audiences as `aud`.
 */
export interface AssertionRules {
  readonly clientId: string;
  readonly username: string;
  readonly audiences: readonly string[];
}

/**
 * Resolves if the assertion is signed with the registered key (RS256), has not expired and meets the rules; otherwise
 * rejects with `AssertionRefused`.
 */
export async function checkAssertion(
  assertion: string,
  key: KeyObject | undefined,
  rules: AssertionRules,
): Promise<void> {
  if (key === undefined) {
    throw new AssertionRefused(
      'invalid_grant',
      'no certificate is registered: set SANDBOX_JWT_PUBLIC_KEY to the public key (PEM)',
    );
  }
  const { payload } = await jwtVerify(assertion, key, {
    algorithms: ['RS256'],
    audience: [...rules.audiences],
    requiredClaims: ['iss', 'sub', 'aud', 'exp'],
  }).catch((error: unknown) => {
    throw new AssertionRefused('invalid_grant', reasonOf(error));
  });
  if (payload.iss !== rules.clientId) throw new AssertionRefused('invalid_client_id', 'client identifier invalid');
  if (payload.sub !== rules.username) throw new AssertionRefused('invalid_grant', "user hasn't approved this consumer");
}

/**
 * The public key in a PEM text, which may have escaped line ends (`\n` in an environment variable). Throws if the text
 * holds no key.
 */
export function publicKeyOf(pem: string): KeyObject {
  return createPublicKey(pem.replace(/\\n/g, '\n'));
}

function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'assertion is expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'aud' ? 'audience is invalid' : `invalid assertion: ${error.claim} is missing or wrong`;
  }
  return 'invalid assertion';
}
