import { currentCaller, runForCaller, type Caller } from '@bff/infra/callers/caller';
import { Pseudonyms } from '@bff/infra/callers/pseudonyms';
import { Limits } from '@bff/infra/limits/limits';
import { noteRequest, notesOf } from '@bff/infra/logging/request-notes';
import { runAsWrite } from '@bff/infra/sources/write-work';
import type { AccountMapping } from '@bff/modules/identity/identity.types';
import { MappingService } from '@bff/modules/identity/mapping.service';
import { Inject, Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { problem, ProblemError } from '../problems/problem.js';
import { RefusalDelay } from '../limits/refusal-delay.js';
import { isSafe } from '../limits/safe-methods.js';
import { setAccount } from './account.decorator.js';
import { TokenVerifier, UnauthorizedError } from './token-verifier.js';

/**
 * Requires a valid token of a user who has an account, on every route that is not `@Public()`, before anything of the
 * body is read, and charges the user a request before the account is looked for. What the request causes then runs for
 * its caller (`currentCaller`).
 */
@Injectable()
export class AccountGate {
  private readonly callers = new WeakMap<FastifyRequest, Caller>();

  constructor(
    private readonly verifier: TokenVerifier,
    private readonly mappings: MappingService,
    private readonly pseudonyms: Pseudonyms,
    private readonly refusals: RefusalDelay,
    @Inject(Limits) private readonly limits: Limits,
  ) {}

  /** Adds the hooks that judge each request. An address without a route has nothing to protect, and passes. */
  guard(instance: FastifyInstance): void {
    instance.addHook('onRequest', (request, _reply, done) => {
      if (request.is404 || request.routeOptions.config.isPublic) done();
      else {
        this.admit(request).then(
          (caller) => runForCaller(caller, done),
          (error: Error) => runForCaller(notesOf(request.raw).caller, () => done(error)), // the user may be known
        );
      }
    });
    // A body may be read in the context of its socket.
    instance.addHook('preHandler', (request, _reply, done) => runForCaller(this.callers.get(request), done));
  }

  private async admit(request: FastifyRequest): Promise<Caller> {
    const sub = await this.verifier.subject(bearerToken(request));
    const subject = this.pseudonyms.of('subject', sub);
    const account = await runForCaller({ subject, account: undefined }, () => this.account(sub, request));
    const caller = { subject, account: this.pseudonyms.of('account', account.salesforceAccountId) };
    setAccount(request, account);
    this.callers.set(request, caller);
    noteRequest(request.raw, { caller });
    return caller;
  }

  private async charge(): Promise<void> {
    try {
      await this.limits.charge('request', currentCaller());
    } catch (error) {
      await this.refusals.pass();
      throw error;
    }
  }

  private async account(sub: string, request: FastifyRequest): Promise<AccountMapping> {
    noteRequest(request.raw, { caller: currentCaller() });
    await this.charge();
    const find = () => this.mappings.resolve(sub);
    const account = await (isSafe(request.method) ? find() : runAsWrite(find));
    if (account) return account;
    const detail = 'No customer account belongs to this user. Ask support to link it.';
    throw new ProblemError(problem(403, 'account-not-linked', 'No account', detail));
  }
}

function bearerToken({ headers }: FastifyRequest): string {
  const { authorization } = headers;
  if (authorization === undefined) throw new UnauthorizedError();
  const token = /^Bearer +([A-Za-z0-9._~+/=-]+) *$/i.exec(authorization)?.[1];
  if (token === undefined) throw new UnauthorizedError('the authorization header must be: Bearer <token>');
  return token;
}
