import { startFailure } from '@bff/infra/health/start-failure';
import { startSandbox } from './sandbox.js';
import { sandboxOptionsFrom } from './sandbox.options.js';
import { leftOutWarning } from './tree/tree-loader.js';

let port: number | undefined;
try {
  const options = sandboxOptionsFrom(process.env);
  port = options.port;
  const sandbox = await startSandbox(options);
  const loaded = Object.entries(sandbox.loaded.counts).map(([object, count]) => `${count} ${object}`);
  process.stdout.write(
    `Sandbox ready: ${sandbox.url} (a page to play with), ${sandbox.url}/services/data/v67.0/ (Salesforce REST), ` +
      `${sandbox.pubSubEndpoint} (Pub/Sub API, TLS or plaintext), ${sandbox.url}/cometd/67.0 (CometD), ` +
      `${sandbox.url}/whmcs/includes/api.php (WHMCS), ` +
      `${sandbox.url}/demo/token/1 (customer token)${loaded.length > 0 ? `; loaded ${loaded.join(', ')}` : ''}\n`,
  );
  const warning = leftOutWarning(sandbox.loaded);
  if (warning !== undefined) process.stderr.write(`${warning}\n`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void sandbox.close());
} catch (error) {
  const variable = (error as { port?: unknown }).port === port ? 'SANDBOX_PORT' : 'SANDBOX_GRPC_PORT';
  const reason = startFailure(error, variable) ?? (error instanceof Error ? error.message : String(error));
  process.stderr.write(`${reason}\n`);
  process.exitCode = 1;
}
