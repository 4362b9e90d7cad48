import { Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { problem, ProblemError } from '../problems/problem.js';

const QUERY_NAMES = 'queryNames';

/** Maximum number of unknown parameters that one answer names, and of characters of each. */
const NAMED_MAX = 10;
const NAME_LENGTH_MAX = 100;

/** Names the query parameters that a route reads; the route checks their values. Without this mark it takes none. */
export const QueryNames = (...names: readonly string[]): MethodDecorator => SetMetadata(QUERY_NAMES, names);

/**
 * Refuses query parameters that the route does not read, with a 400 that names them: a misspelt one would otherwise be
 * ignored, and the answer taken for what was asked.
 */
@Injectable()
export class QueryNamesGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const { query } = context.switchToHttp().getRequest<FastifyRequest>();
    const given = Object.keys(query ?? {});
    if (given.length === 0) return true;
    const known = this.reflector.get<readonly string[] | undefined>(QUERY_NAMES, context.getHandler()) ?? [];
    const unknown = given.filter((name) => !known.includes(name)).slice(0, NAMED_MAX);
    if (unknown.length === 0) return true;
    const takes = known.length === 0 ? 'this address takes no parameters' : `this address takes ${known.join(', ')}`;
    const errors = unknown.map((name) => ({
      path: `query.${name.slice(0, NAME_LENGTH_MAX)}`,
      message: `is not known here; ${takes}`,
    }));
    const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
    throw new ProblemError(problem(400, 'invalid-request', 'The request is not valid', detail, { errors }));
  }
}
