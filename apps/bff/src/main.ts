import 'reflect-metadata';
import { describeConfig } from '@bff/infra/config/describe-config';
import { loadConfig } from '@bff/modules/config/load-config';
import { closeOnSignal } from '@bff/infra/health/graceful-shutdown';
import { startFailure } from '@bff/infra/health/start-failure';
import { Readiness } from '@bff/infra/health/readiness';
import { Logger } from '@nestjs/common';
import { createApp } from './create-app.js';

try {
  const config = loadConfig();
  const app = await createApp(config);
  const logger = new Logger('bff');
  logger.debug(describeConfig(config));
  closeOnSignal(app, app.get(Readiness), config.http.shutdownGraceMs, (text) => logger.log(text));
  await app.listen(config.http.port, config.http.host);
  logger.log(`listening on ${await app.getUrl()}`);
} catch (error) {
  // The logger may not exist yet. A failure that people can fix shows its message alone, any other its stack.
  console.error(startFailure(error, 'PORT') ?? error);
  process.exit(1);
}
