import 'reflect-metadata';
import { describeConfig } from '@bff/infra/config/describe-config';
import { stackWithCauses } from '@bff/infra/logging/error-record';
import { Masking } from '@bff/infra/logging/masking';
import { endOnUnhandledError } from '@bff/infra/logging/unhandled-error';
import { loadConfig } from '@bff/modules/config/load-config';
import { closeOnSignal } from '@bff/infra/health/graceful-shutdown';
import { startFailure } from '@bff/infra/health/start-failure';
import { Readiness } from '@bff/infra/health/readiness';
import { Logger } from '@nestjs/common';
import { createApp } from './create-app.js';

/** Long enough for a message that names every mistake in the configuration. */
const MESSAGE_LENGTH_MAX = 65_536;

let masking = new Masking();
try {
  const config = loadConfig();
  masking = new Masking(config.secrets);
  const app = await createApp(config);
  const logger = new Logger('bff');
  endOnUnhandledError();
  logger.debug(describeConfig(config));
  const { shutdownDrainMs: drainMs, shutdownGraceMs: graceMs } = config.http;
  closeOnSignal(app, app.get(Readiness), { drainMs, graceMs }, (text) => logger.log(text));
  await app.listen(config.http.port, config.http.host);
  logger.log(`listening on ${await app.getUrl()}`);
} catch (error) {
  // The logger may not exist yet. A failure that people can fix shows its message alone, any other its stack.
  console.error(masking.text(startFailure(error, 'PORT') ?? stackWithCauses(error), MESSAGE_LENGTH_MAX));
  process.exit(1);
}
