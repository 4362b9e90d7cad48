import { MappingService } from '@bff/modules/identity/mapping.service';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { problem, ProblemError } from '../problems/problem.js';
import { setAccount } from './account.decorator.js';
import { IS_PUBLIC } from './public.decorator.js';
import { TokenVerifier, unauthorized } from './token-verifier.js';

/** Requires a valid token of a user who has an account, on every route that is not `@Public()`. */
@Injectable()
export class AccountGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly verifier: TokenVerifier,
    private readonly mappings: MappingService,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (this.reflector.getAllAndOverride<boolean>(IS_PUBLIC, [context.getHandler(), context.getClass()])) return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const account = await this.mappings.resolve(await this.verifier.subject(bearerToken(request)));
    if (!account) {
      const detail = 'No customer account belongs to this user. Ask support to link it.';
      throw new ProblemError(problem(403, 'account-not-linked', 'No account', detail));
    }
    setAccount(request, account);
    return true;
  }
}

function bearerToken({ headers }: FastifyRequest): string {
  const { authorization } = headers;
  if (authorization === undefined) throw unauthorized();
  const token = /^Bearer +([A-Za-z0-9._~+/=-]+) *$/i.exec(authorization)?.[1];
  if (token === undefined) throw unauthorized('the authorization header must be: Bearer <token>');
  return token;
}
