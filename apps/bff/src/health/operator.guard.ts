import { Operators } from '@bff/infra/health/operators';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { problem, ProblemError } from '../problems/problem.js';

/** Lets operators pass alone; anybody else gets a 401 that says who is one. */
@Injectable()
export class OperatorGuard implements CanActivate {
  constructor(private readonly operators: Operators) {}

  canActivate(context: ExecutionContext): boolean {
    if (this.operators.includes(context.switchToHttp().getRequest<FastifyRequest>())) return true;
    const detail =
      'Only operators see the details of health: send OPERATOR_TOKEN as a bearer token, or ask from an address of ' +
      'OPERATOR_ADDRESSES. Anybody may ask /health, /health/live and /health/ready.';
    throw new ProblemError(problem(401, 'operator-only', 'For operators', detail), { 'www-authenticate': 'Bearer' });
  }
}
