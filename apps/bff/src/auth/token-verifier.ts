import { APP_CONFIG } from '@bff/infra/config/application-config';
import type { AppConfig } from '@bff/modules/config/app-config';
import { Inject, Injectable } from '@nestjs/common';
import { errors, jwtVerify } from 'jose';
import { problem, ProblemError } from '../problems/problem.js';
import { accessTokenFault } from './access-token.js';
import { IssuerKeys, KeysUnavailableError } from './issuer-keys.js';
import { JudgedTokens } from './judged-tokens.js';

/**
 * Accepted signature algorithms. Symmetric ones would let anyone who knows the public key sign, and `none` anyone at
 * all.
 */
const ALGORITHMS = ['RS256', 'ES256'];
const CLOCK_TOLERANCE_SECONDS = 5;
const RETRY_AFTER_MS = 5_000;
/** "It MUST NOT exceed 255 ASCII characters in length" (OpenID Connect Core, section 2). */
const SUBJECT = /^[\x21-\x7E]{1,255}$/;

/** Checks bearer tokens against the issuer's published keys. */
@Injectable()
export class TokenVerifier {
  private readonly keys: IssuerKeys;
  private readonly judged = new JudgedTokens();

  constructor(@Inject(APP_CONFIG) private readonly config: AppConfig) {
    this.keys = new IssuerKeys(new URL(config.auth.jwksUrl), config.auth.jwksGraceSeconds * 1_000);
  }

  /**
   * The token's subject. Throws a 401 problem for a bad token, and a 503 while the token cannot be judged: the keys
   * cannot be fetched, the token names a key that is not at hand while the issuer fails, or an unexpected error occurs.
   */
  async subject(token: string): Promise<string> {
    const { generation } = this.keys;
    const known = this.judged.subjectOf(token, generation);
    if (known !== undefined) return known;
    const { subject, endsAt } = await this.judge(token);
    this.judged.remember(token, subject, endsAt, generation);
    return subject;
  }

  private async judge(token: string): Promise<{ subject: string; endsAt: number }> {
    try {
      const { issuer, audience, accessTokens } = this.config.auth;
      const { payload, protectedHeader } = await jwtVerify(token, this.keys.keyOf, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        requiredClaims: ['sub', 'exp'],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
      });
      const fault = accessTokenFault(protectedHeader, payload, accessTokens, CLOCK_TOLERANCE_SECONDS);
      if (fault !== undefined) throw new UnauthorizedError(fault);
      const { sub, exp = 0 } = payload;
      if (typeof sub !== 'string' || !SUBJECT.test(sub)) throw new UnauthorizedError('the token has no usable subject');
      return { subject: sub, endsAt: (exp + CLOCK_TOLERANCE_SECONDS) * 1_000 };
    } catch (error) {
      if (error instanceof ProblemError) throw error;
      const reason = refusal(error);
      if (reason !== undefined) throw new UnauthorizedError(reason);
      const retryAfterMs = error instanceof KeysUnavailableError ? error.retryAfterMs : RETRY_AFTER_MS;
      throw new ProblemError(
        problem(503, 'keys-unavailable', 'Tokens cannot be checked', 'The token issuer does not answer. Try again.', {
          retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1_000)),
        }),
        {},
        { cause: error },
      );
    }
  }
}

/** A request has no token, or a bad one: a 401 with the challenge that RFC 6750 requires. */
export class UnauthorizedError extends ProblemError {
  /** `fault`: what is wrong with the token, in our own words; undefined when the request has none. */
  constructor(fault?: string) {
    const challenge = 'Bearer realm="evergreen"';
    const detail = fault
      ? `Send a valid access token: ${fault}.`
      : 'Send an access token: authorization: Bearer <token>.';
    const header = fault ? `${challenge}, error="invalid_token", error_description="${fault}"` : challenge;
    const found = problem(401, 'unauthorized', 'Unauthorized', detail);
    super(found, { 'www-authenticate': header }, { reason: fault ?? 'no token' });
    this.name = 'UnauthorizedError';
  }
}

/** The token's fault, in our own words; undefined if the token is not at fault. */
function refusal(error: unknown): string | undefined {
  if (error instanceof errors.JWTExpired) return 'it has expired';
  if (error instanceof errors.JWTClaimValidationFailed) return `its claim ${claimName(error.claim)} is not acceptable`;
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) {
    return 'it was not signed with a key of the issuer';
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is wrong';
  if (error instanceof errors.JOSEAlgNotAllowed) return `it must be signed with ${ALGORITHMS.join(' or ')}`;
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return 'it is not a signed JWT';
  if (error instanceof errors.JOSENotSupported) return 'it uses something that is not supported';
  return undefined;
}

/** Claim names come from the library's own checks, but a header value must be safe in any case. */
function claimName(claim: string): string {
  return claim.replace(/[^A-Za-z0-9_]/g, '');
}
