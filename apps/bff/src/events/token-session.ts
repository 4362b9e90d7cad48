import type { FastifyRequest } from 'fastify';
import { decodeJwt } from 'jose';

/** The user that a token names, and when the token ends. */
export interface TokenSession {
  readonly subject: string;
  /** In milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Reads the token of a request that passed the gate, which has verified the token and its claims `sub` and `exp`. */
export function tokenSession({ headers }: FastifyRequest): TokenSession {
  const token = headers.authorization?.replace(/^Bearer +/i, '').trimEnd() ?? '';
  const { sub, exp } = decodeJwt(token);
  if (sub === undefined || exp === undefined) throw new Error('the gate let a token without sub or exp through');
  return { subject: sub, expiresAt: exp * 1_000 };
}
