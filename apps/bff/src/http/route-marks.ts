import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import type { FastifyContextConfig } from 'fastify';

declare module 'fastify' {
  /** What the hooks of the server know of a route: Nest hands it to Fastify as `request.routeOptions.config`. */
  interface FastifyContextConfig {
    /** The route answers without a token. */
    readonly isPublic?: boolean;
    /** The route receives a JSON body as the bytes that came. */
    readonly keepsRawBody?: boolean;
  }
}

/**
 * Marks a handler, or all handlers that a controller declares itself, beside the marks that they have. Inherited
 * handlers stay unmarked, because other controllers may share them.
 */
export function markRoute(marks: FastifyContextConfig): ClassDecorator & MethodDecorator {
  return (target: object, _name?: string | symbol, method?: PropertyDescriptor): void => {
    const handlers = method ? [method.value as unknown] : ownMethods((target as { prototype: object }).prototype);
    for (const handler of handlers) {
      if (typeof handler !== 'function') continue;
      const known = Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler) as FastifyContextConfig | undefined;
      Reflect.defineMetadata(FASTIFY_ROUTE_CONFIG_METADATA, { ...known, ...marks }, handler);
    }
  };
}

function ownMethods(prototype: object): unknown[] {
  return Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([name]) => name !== 'constructor')
    .map(([, { value }]) => value as unknown);
}
