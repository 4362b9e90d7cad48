import type { FastifyInstance } from 'fastify';

/** The page for people. */
export function pageRoutes(app: FastifyInstance): void {
  app.get('/', () => ({ name: 'Evergreen sandbox' }));
}
