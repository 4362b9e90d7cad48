import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CompactSign, exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';

export const AUDIENCE = 'evergreen-portal';

/** A token issuer on a free port of this machine, with one published key. */
export class TokenIssuer {
  private constructor(
    readonly url: string,
    private readonly server: Server,
    private readonly key: CryptoKey,
  ) {}

  static async start(): Promise<TokenIssuer> {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const jwk: JWK = { ...(await exportJWK(publicKey)), kid: 'key-1', alg: 'ES256', use: 'sig' };
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TokenIssuer(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, privateKey);
  }

  token(subject: string, claims: { issuer?: string; audience?: string; expiresAt?: number } = {}): Promise<string> {
    return new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid: 'key-1' })
      .setSubject(subject)
      .setIssuer(claims.issuer ?? this.url)
      .setAudience(claims.audience ?? AUDIENCE)
      .setExpirationTime(claims.expiresAt ?? Math.floor(Date.now() / 1000) + 600)
      .sign(this.key);
  }

  /** Signs this very text, whatever it says. `$iss` in it becomes the issuer, `$exp` a time ten minutes ahead. */
  sign(payload: string, header: { readonly typ?: string } = {}): Promise<string> {
    const text = payload.replace('$iss', this.url).replace('$exp', String(Math.floor(Date.now() / 1_000) + 600));
    return new CompactSign(Buffer.from(text))
      .setProtectedHeader({ alg: 'ES256', kid: 'key-1', ...header })
      .sign(this.key);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
