import { operatorFault, Operators } from '@bff/infra/health/operators';
import { Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { problem, ProblemError } from '../problems/problem.js';

const FOR_ANYBODY = 'isForAnybody';

/** Marks a route of health that answers everybody. Every route without this mark is for operators. */
export const ForAnybody = (): MethodDecorator => SetMetadata(FOR_ANYBODY, true);

/**
 * Lets only operators pass, except on routes that are `@ForAnybody()`; anybody else gets a 401 that says who is one.
 */
@Injectable()
export class OperatorGuard implements CanActivate {
  constructor(
    private readonly operators: Operators,
    private readonly reflector: Reflector,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    if (this.reflector.get<boolean>(FOR_ANYBODY, context.getHandler())) return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (this.operators.includes(request)) return true;
    const detail =
      'Only operators see the details of health: send OPERATOR_TOKEN as a bearer token, or ask from an address of ' +
      'OPERATOR_ADDRESSES. Anybody may ask /health, /health/live and /health/ready.';
    const found = problem(401, 'operator-only', 'For operators', detail);
    throw new ProblemError(found, { 'www-authenticate': 'Bearer' }, { reason: operatorFault(request) });
  }
}
