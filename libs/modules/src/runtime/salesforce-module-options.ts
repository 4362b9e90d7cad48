import type { AppConfig } from '../config/app-config.js';
import type { EventOptions, SalesforceModuleOptions } from '@bff/integrations/salesforce/salesforce.module-definition';

/** The org that the configuration describes, with the JWT bearer grant if a private key is set. */
export function salesforceModuleOptions(
  { salesforce }: AppConfig,
  gate: Pick<SalesforceModuleOptions, 'spend' | 'admit'> = {},
): SalesforceModuleOptions {
  const { clientId, clientSecret, username, privateKey } = salesforce;
  const credentials =
    username !== undefined && privateKey !== undefined
      ? { clientId, username, privateKey }
      : { clientId, clientSecret: clientSecret ?? '' };
  return {
    connection: {
      ...credentials,
      loginUrl: salesforce.loginUrl,
      ...(salesforce.jwtAudience !== undefined && { jwtAudience: salesforce.jwtAudience }),
      apiVersion: salesforce.apiVersion,
      requestTimeoutMs: salesforce.requestTimeoutMs,
      concurrency: salesforce.concurrency,
      queueMax: salesforce.queueMax,
      accountQueueMax: salesforce.accountQueueMax,
      accountSharePercent: salesforce.accountSharePercent,
      quotaReservePercent: salesforce.quotaReservePercent,
    },
    ...gate,
    events: eventOptions(salesforce),
  };
}

/** By default the sandbox loses no event at the start of a subscription, so streams from it need no settling time. */
function eventOptions(salesforce: AppConfig['salesforce']): EventOptions {
  const { eventTransport: transport, isSandbox, pubsubEndpoint, streamWatchdogSeconds } = salesforce;
  const stream = {
    ...(isSandbox && { settleMs: 0 }),
    ...(streamWatchdogSeconds !== undefined && { watchdogMs: streamWatchdogSeconds * 1_000 }),
  };
  if (transport === 'cometd') return { transport, ...stream };
  return { transport, ...stream, ...(pubsubEndpoint !== undefined && { endpoint: pubsubEndpoint }) };
}
