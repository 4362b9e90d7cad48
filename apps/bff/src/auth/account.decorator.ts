import type { AccountMapping } from '@bff/modules/identity/identity.types';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

const accounts = new WeakMap<FastifyRequest, AccountMapping>();

/** Stores the request's account; only the gate calls it. */
export function setAccount(request: FastifyRequest, account: AccountMapping): void {
  accounts.set(request, account);
}

/** The account that the request's verified token belongs to. It never comes from the URL or the body. */
export const Account = createParamDecorator((_: unknown, context: ExecutionContext): AccountMapping => {
  const account = accounts.get(context.switchToHttp().getRequest<FastifyRequest>());
  if (!account) throw new Error('this route is public, so there is no account');
  return account;
});
