import { createPublicKey, type KeyObject } from 'node:crypto';
import { errors, jwtVerify } from 'jose';

/** Why an assertion is refused, in the words of Salesforce's token endpoint. */
export class AssertionRefused extends Error {
  constructor(
    readonly error: 'invalid_grant' | 'invalid_client_id',
    description: string,
  ) {
    super(description);
    this.name = 'AssertionRefused';
  }
}

/** What an assertion must say (Salesforce help, "OAuth 2.0 JWT Bearer Flow"): who asks, for which user, of whom. */
export interface AssertionRules {
  readonly clientId: string;
  readonly username: string;
  readonly audiences: readonly string[];
}

/** Guarantees that the assertion was signed with the registered key (RS256) and says what it must; rejects with `AssertionRefused`. */
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

/** The public key of a PEM text; escaped line ends (`\n` in an environment variable) are taken too. Throws if it is none. */
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
