import 'reflect-metadata';
import { describeConfig } from '@bff/infra/config/describe-config';
import { stackWithCauses } from '@bff/infra/logging/error-record';
import { Masking } from '@bff/infra/logging/masking';
import { endOnUnhandledError } from '@bff/infra/logging/unhandled-error';
import { loadConfig } from '@bff/modules/config/load-config';
import { closeOnSignal } from '@bff/infra/health/graceful-shutdown';
import { startFailure } from '@bff/infra/health/start-failure';
import { Logger } from '@nestjs/common';
import { createWorker } from './create-worker.js';

/** Long enough for a message that names every mistake in the configuration. */
const MESSAGE_LENGTH_MAX = 65_536;

let masking = new Masking();
try {
  const config = loadConfig();
  masking = new Masking(config.secrets);
  const worker = await createWorker(config);
  const logger = new Logger('cdc-worker');
  endOnUnhandledError();
  logger.debug(describeConfig(config));
  const { shutdownDrainMs: drainMs, shutdownGraceMs: graceMs } = config.http;
  closeOnSignal(worker, worker.readiness, { drainMs, graceMs }, (text) => logger.log(text));
  const address = await worker.health.listen({ host: config.http.host, port: config.worker.port });
  logger.log(`health on ${address}/health/sf-events`);
} catch (error) {
  // The logger may not exist yet. A failure that people can fix shows its message alone, any other its stack.
  console.error(masking.text(startFailure(error, 'WORKER_PORT') ?? stackWithCauses(error), MESSAGE_LENGTH_MAX));
  process.exit(1);
}
