import { SalesforceError } from '../salesforce.errors.js';
import { resolveStreamOptions, wholeOption, type ResolvedStreamOptions, type StreamOptions } from './stream.options.js';

/** Salesforce's endpoint of the Pub/Sub API outside the EU operating zone. */
export const PUBSUB_ENDPOINT = 'api.pubsub.salesforce.com:7443';

/** Options of the Pub/Sub API transport. */
export interface PubSubOptions extends StreamOptions {
  /**
   * `host:port` over TLS, or `http://host:port` without TLS for this machine only, because the access token travels
   * there. @default 'api.pubsub.salesforce.com:7443'
   */
  readonly endpoint?: string;
  /** PEM of the only trusted root certificates. @default the roots that Node trusts */
  readonly rootCertificates?: string;
  /**
   * Maximum number of events of one topic that are requested and have not arrived. Salesforce's own limit is 100
   * (Pub/Sub API Guide, "Pull Subscription and Flow Control"). @default 100
   */
  readonly windowMax?: number;
  /**
   * A stream is replaced after this long without a message. A keep-alive comes at least every 270 s (same section of
   * the guide). @default 300000
   */
  readonly watchdogMs?: number;
  /**
   * After this long without a message on the connection it is asked for a sign of life, and replaced if there is none
   * within the time of a request. @default 30000
   */
  readonly quietMs?: number;
  /**
   * How long after the last requested event arrived a stream asks for more; for one event if the queue is full.
   * Salesforce closes a stream that asks for nothing for 60 s (same section of the guide). @default 45000
   */
  readonly lifelineMs?: number;
  /**
   * How long the start waits for Salesforce to accept or refuse a topic. Without an answer the topic is not live,
   * however long that takes. @default 3000
   */
  readonly decideMs?: number;
}

/** Host and port, and whether the connection is unencrypted. */
export interface PubSubEndpoint {
  readonly target: string;
  readonly isPlaintext: boolean;
}

/** The options with defaults applied and limits checked. Frozen. */
export interface ResolvedPubSubOptions extends ResolvedStreamOptions {
  readonly endpoint: PubSubEndpoint;
  readonly rootCertificates: string | undefined;
  readonly windowMax: number;
  readonly watchdogMs: number;
  readonly quietMs: number;
  readonly lifelineMs: number;
  readonly decideMs: number;
}

/** Guarantees usable options, or throws `SALESFORCE_INVALID_OPTION` naming the bad one. */
export function resolvePubSubOptions(options: PubSubOptions = {}): ResolvedPubSubOptions {
  const whole = (
    name: 'windowMax' | 'watchdogMs' | 'quietMs' | 'lifelineMs' | 'decideMs',
    fallback: number,
    min: number,
    max: number,
  ): number => wholeOption(name, options[name], fallback, min, max);
  return Object.freeze({
    ...resolveStreamOptions(options),
    endpoint: Object.freeze(pubSubEndpoint(options.endpoint ?? PUBSUB_ENDPOINT)),
    rootCertificates: options.rootCertificates,
    windowMax: whole('windowMax', 100, 1, 100),
    watchdogMs: whole('watchdogMs', 300_000, 100, 3_600_000),
    quietMs: whole('quietMs', 30_000, 50, 3_600_000),
    lifelineMs: whole('lifelineMs', 45_000, 10, 59_000),
    decideMs: whole('decideMs', 3_000, 1, 60_000),
  });
}

/** Reads an endpoint; throws `SALESFORCE_INVALID_OPTION` if it is unusable, including plaintext to another machine. */
export function pubSubEndpoint(text: string): PubSubEndpoint {
  const match = /^(?:(https?):\/\/)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/.exec(text);
  const [, scheme, host = '', port = ''] = match ?? [];
  if (match === null || Number(port) < 1 || Number(port) > 65_535) {
    throw invalid('endpoint must look like api.pubsub.salesforce.com:7443, or http://127.0.0.1:4001 on this machine');
  }
  const isPlaintext = scheme === 'http';
  const isThisMachine = host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
  if (isPlaintext && !isThisMachine) {
    throw invalid(
      `endpoint http://${host}:${port} has no TLS, and the access token travels there; use ${host}:${port}`,
    );
  }
  return { target: `${host}:${port}`, isPlaintext };
}

function invalid(message: string): SalesforceError {
  return new SalesforceError('SALESFORCE_INVALID_OPTION', message);
}
