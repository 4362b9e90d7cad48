import 'reflect-metadata';
import { describeConfig } from '@bff/infra/config/describe-config';
import { loadConfig } from '@bff/modules/config/load-config';
import { closeOnSignal } from '@bff/infra/health/graceful-shutdown';
import { startFailure } from '@bff/infra/health/start-failure';
import { Logger } from '@nestjs/common';
import { createWorker } from './create-worker.js';

try {
  const config = loadConfig();
  const worker = await createWorker(config);
  const logger = new Logger('cdc-worker');
  logger.debug(describeConfig(config));
  closeOnSignal(worker, worker.readiness, config.http.shutdownGraceMs, (text) => logger.log(text));
  const address = await worker.health.listen({ host: config.http.host, port: config.worker.port });
  logger.log(`health on ${address}/health/sf-events`);
} catch (error) {
  // The logger may not exist yet. A failure that people can fix shows its message alone, any other its stack.
  console.error(startFailure(error, 'WORKER_PORT') ?? error);
  process.exit(1);
}
