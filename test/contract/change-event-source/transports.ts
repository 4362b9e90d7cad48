import { CometdChangeEventSource } from '@bff/integrations/salesforce/events/cometd-change-event-source';
import { PubSubChangeEventSource } from '@bff/integrations/salesforce/events/pubsub-change-event-source';
import type { Transport } from './lab.js';

export const COMETD: Transport = {
  name: 'cometd',
  create: (_, connection, options) => new CometdChangeEventSource(connection, options),
};

export const PUBSUB: Transport = {
  name: 'pubsub',
  create: ({ pubSubEndpoint }, connection, options) =>
    new PubSubChangeEventSource(connection, { endpoint: `http://${pubSubEndpoint}`, ...options }),
};
