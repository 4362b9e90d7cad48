import type { AppConfig } from '@bff/modules/config/app-config';
import { ConfigError } from '@bff/infra/config/config.errors';
import { Readiness } from '@bff/infra/health/readiness';
import { isRedisConfigured } from '@bff/infra/redis/redis-client';
import { NestFactory } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { Logger } from 'nestjs-pino';
import { createHealthServer } from './health-server.js';
import { WorkerModule } from './worker.module.js';

/** A running consumer with its health port, which does not listen yet. */
export interface Worker {
  readonly health: FastifyInstance;
  readonly readiness: Readiness;
  /** Stops consuming, then closes the health port. */
  close(): Promise<void>;
}

/**
 * Starts consuming. Throws `ConfigError` without a configured Redis: a worker cannot reach the entries of an embedded
 * store.
 */
export async function createWorker(config: AppConfig): Promise<Worker> {
  if (!isRedisConfigured(config.redis)) {
    const expected = 'a Redis that the BFFs use too; with the embedded store the BFF consumes change events by itself';
    throw new ConfigError([{ name: 'REDIS_URL', given: undefined, expected }]);
  }
  const context = await NestFactory.createApplicationContext(WorkerModule.forConfig(config), { bufferLogs: true });
  context.useLogger(context.get(Logger));
  context.flushLogs();
  const health = createHealthServer(context);
  return {
    health,
    readiness: context.get(Readiness),
    close: async () => {
      await context.close();
      await health.close();
    },
  };
}
