import { runForCaller, type Caller } from '@bff/infra/callers/caller';
import { Pseudonyms } from '@bff/infra/callers/pseudonyms';
import { MappingService } from '@bff/modules/identity/mapping.service';
import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { problem, ProblemError } from '../problems/problem.js';
import { setAccount } from './account.decorator.js';
import { TokenVerifier, unauthorized } from './token-verifier.js';

/**
 * Requires a valid token of a user who has an account, on every route that is not `@Public()`, before anything of the
 * body is read. What the request causes then runs for its caller (`currentCaller`).
 */
@Injectable()
export class AccountGate {
  private readonly callers = new WeakMap<FastifyRequest, Caller>();

  constructor(
    private readonly verifier: TokenVerifier,
    private readonly mappings: MappingService,
    private readonly pseudonyms: Pseudonyms,
  ) {}

  /** Adds the hooks that judge each request. An address without a route has nothing to protect, and passes. */
  guard(instance: FastifyInstance): void {
    instance.addHook('onRequest', (request, _reply, done) => {
      if (request.is404 || request.routeOptions.config.isPublic) done();
      else this.admit(request).then((caller) => runForCaller(caller, done), done);
    });
    // Whoever reads the body may go on in the context of its socket.
    instance.addHook('preHandler', (request, _reply, done) => runForCaller(this.callers.get(request), done));
  }

  private async admit(request: FastifyRequest): Promise<Caller> {
    const sub = await this.verifier.subject(bearerToken(request));
    const subject = this.pseudonyms.of('subject', sub);
    const account = await runForCaller({ subject, account: undefined }, () => this.mappings.resolve(sub));
    if (!account) {
      const detail = 'No customer account belongs to this user. Ask support to link it.';
      throw new ProblemError(problem(403, 'account-not-linked', 'No account', detail));
    }
    const caller = { subject, account: this.pseudonyms.of('account', account.salesforceAccountId) };
    setAccount(request, account);
    this.callers.set(request, caller);
    return caller;
  }
}

function bearerToken({ headers }: FastifyRequest): string {
  const { authorization } = headers;
  if (authorization === undefined) throw unauthorized();
  const token = /^Bearer +([A-Za-z0-9._~+/=-]+) *$/i.exec(authorization)?.[1];
  if (token === undefined) throw unauthorized('the authorization header must be: Bearer <token>');
  return token;
}
