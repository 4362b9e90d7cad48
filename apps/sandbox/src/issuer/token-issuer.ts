import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';

/** The audience (`aud`) of the tokens. */
export const AUDIENCE = 'evergreen-portal';
/** The number of demo customers: `customer-1` to `customer-3`. */
export const CUSTOMERS = 3;
const TOKEN_LIFE = '12h';

/**
 * Signs the demo customers' tokens (RS256). Each run creates its own key, so the tokens of an earlier run are refused.
 */
export class TokenIssuer {
  private constructor(
    private readonly privateKey: CryptoKey,
    /** The public key with its thumbprint as `kid`. */
    readonly publicJwk: JWK,
  ) {}

  static async create(): Promise<TokenIssuer> {
    const { privateKey, publicKey } = await generateKeyPair('RS256');
    const jwk = await exportJWK(publicKey);
    return new TokenIssuer(privateKey, { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'RS256', use: 'sig' });
  }

  /** A token whose subject is `customer-<n>`. */
  token(issuer: string, n: number): Promise<string> {
    return new SignJWT({ name: `Demo Customer ${n}` })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: this.publicJwk.kid ?? '' })
      .setIssuer(issuer)
      .setAudience(AUDIENCE)
      .setSubject(`customer-${n}`)
      .setIssuedAt()
      .setExpirationTime(TOKEN_LIFE)
      .sign(this.privateKey);
  }
}
