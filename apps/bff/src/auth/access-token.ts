import type { JWTPayload, JWTHeaderParameters } from 'jose';

/** What the configuration demands of a token, beside its issuer and audience. */
export interface AccessTokenRules {
  /** The kinds of token that are accepted, by the header `typ`; `JWT` also covers a token without one. */
  readonly types: readonly ('at+jwt' | 'JWT')[];
  /** How far from now a token may end. */
  readonly lifetimeMaxSeconds: number;
}

/**
 * Claims that mark a token that was issued for something else than calling us: an ID token (OpenID Connect Core,
 * 3.1.3.6 and 3.3.2.11; `nonce`: 2), an event or a logout (RFC 8417, 2.2; OpenID Connect Back-Channel Logout, 2.4).
 */
const FOREIGN_CLAIMS = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events', 'toe'];
/** The same, in tokens that say `at+jwt`: they are access tokens, in which an issuer may keep a nonce. */
const FOREIGN_CLAIMS_OF_ACCESS_TOKENS = ['events', 'toe'];

/**
 * Why a token with a good signature is no access token for us, in words for its sender; undefined if it is one. The
 * reason names no value of the token. `toleranceSeconds`: how far the issuer's clock may be from ours.
 *
 * RFC 9068, section 4, demands the type `at+jwt`, so that no other token of the issuer passes as an access token. Many
 * issuers still write `JWT`, or nothing: such a token is refused if a claim of it shows another purpose.
 */
export function accessTokenFault(
  header: JWTHeaderParameters,
  payload: JWTPayload,
  rules: AccessTokenRules,
  toleranceSeconds: number,
  nowSeconds = Date.now() / 1_000,
): string | undefined {
  const type = typeOf(header.typ);
  if (type === undefined || !rules.types.includes(type)) return `its type must be ${rules.types.join(' or ')}`;
  return purposeFault(type, payload) ?? timeFault(payload, rules.lifetimeMaxSeconds + toleranceSeconds, nowSeconds);
}

/** "application/" may be left out, and case does not count (RFC 7515, 4.1.9). */
function typeOf(typ: unknown): 'at+jwt' | 'JWT' | undefined {
  if (typ === undefined) return 'JWT';
  if (typeof typ !== 'string') return undefined;
  switch (typ.toLowerCase()) {
    case 'jwt':
      return 'JWT';
    case 'at+jwt':
    case 'application/at+jwt':
      return 'at+jwt';
    default:
      return undefined;
  }
}

function purposeFault(type: 'at+jwt' | 'JWT', payload: JWTPayload): string | undefined {
  // The sender of a token that is bound to a key must prove that it has the key (RFC 9449, 7.1), which we cannot check.
  if (payload['cnf'] !== undefined) return 'it is bound to a key, and only bearer tokens are taken';
  const foreign = type === 'JWT' ? FOREIGN_CLAIMS : FOREIGN_CLAIMS_OF_ACCESS_TOKENS;
  if (foreign.some((claim) => payload[claim] !== undefined)) return 'it is not an access token';
  // What Amazon Cognito and Keycloak write into their tokens to tell them apart.
  const { token_use: use = 'access', typ: kind = 'Bearer' } = payload;
  return use === 'access' && kind === 'Bearer' ? undefined : 'it is not an access token';
}

function timeFault({ exp, iat, nbf }: JWTPayload, furthestSeconds: number, nowSeconds: number): string | undefined {
  if (!Number.isSafeInteger(exp)) return 'its claim exp is not acceptable';
  if ((exp as number) > nowSeconds + furthestSeconds) return 'it ends too far in the future';
  for (const [claim, value] of Object.entries({ iat, nbf })) {
    if (value !== undefined && !(Number.isFinite(value) && value < (exp as number)))
      return `its claim ${claim} is not acceptable`;
  }
  return undefined;
}
