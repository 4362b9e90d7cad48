import { describe, expect, it } from '@jest/globals';
import { pubSubEndpoint, resolvePubSubOptions } from './pubsub.options.js';

describe('the endpoint of the Pub/Sub API', () => {
  it.each([
    ['api.pubsub.salesforce.com:7443', { target: 'api.pubsub.salesforce.com:7443', isPlaintext: false }],
    ['https://api.deu.pubsub.salesforce.com:443', { target: 'api.deu.pubsub.salesforce.com:443', isPlaintext: false }],
    ['127.0.0.1:4001', { target: '127.0.0.1:4001', isPlaintext: false }],
    ['http://127.0.0.1:4001', { target: '127.0.0.1:4001', isPlaintext: true }],
    ['http://127.8.9.10:1', { target: '127.8.9.10:1', isPlaintext: true }],
    ['http://localhost:4001', { target: 'localhost:4001', isPlaintext: true }],
    ['http://[::1]:4001', { target: '[::1]:4001', isPlaintext: true }],
  ])('%s is understood', (text, endpoint) => {
    expect(pubSubEndpoint(text)).toEqual(endpoint);
  });

  it.each([
    'http://sandbox:4001',
    'http://10.0.0.1:4001',
    'http://127.0.0.1.example.com:80',
    'http://localhost.example.com:80',
    'http://[::2]:4001',
    'http://0.0.0.0:4001',
  ])('%s is refused: no TLS, and not this machine', (text) => {
    expect(() => pubSubEndpoint(text)).toThrow(/has no TLS, and the access token travels there/);
  });

  it.each(['', 'api.pubsub.salesforce.com', 'host:0', 'host:70000', 'grpc://host:1', 'host:1/path', 'user@host:1'])(
    '%j is refused: it is none',
    (text) => {
      expect(() => pubSubEndpoint(text)).toThrow(/must look like/);
    },
  );
});

describe('the options of the Pub/Sub API', () => {
  it('are those of the guide where nothing is said', () => {
    expect(resolvePubSubOptions()).toMatchObject({
      endpoint: { target: 'api.pubsub.salesforce.com:7443', isPlaintext: false },
      windowMax: 100,
      watchdogMs: 300_000,
      lifelineMs: 45_000,
      settleMs: 5_000,
      queueMax: 1_000,
    });
  });

  it.each([{ windowMax: 101 }, { windowMax: 0 }, { lifelineMs: 60_000 }, { queueMax: 0 }, { batchMax: 1.5 }])(
    '%j are refused by name',
    (options) => {
      expect(() => resolvePubSubOptions(options)).toThrow(new RegExp(Object.keys(options)[0] as string));
    },
  );
});
