import { SalesforceError } from '../salesforce.errors.js';
import { resolveStreamOptions, wholeOption, type ResolvedStreamOptions, type StreamOptions } from './stream.options.js';

/** Where Salesforce serves the Pub/Sub API to everybody outside the EU operating zone. */
export const PUBSUB_ENDPOINT = 'api.pubsub.salesforce.com:7443';

/** What may be set about the Pub/Sub API transport. */
export interface PubSubOptions extends StreamOptions {
  /**
   * `host:port` over TLS, or `http://host:port` without it, which is refused for anything but this machine: the access
   * token travels there. @default 'api.pubsub.salesforce.com:7443'
   */
  readonly endpoint?: string;
  /** PEM of the only certificates that are trusted. @default those that Node trusts */
  readonly rootCertificates?: string;
  /**
   * Events that Salesforce may have under way to us for one topic, asked for and not yet arrived. Its own limit is 100
   * (Pub/Sub API Guide, "Pull Subscription and Flow Control"). @default 100
   */
  readonly windowMax?: number;
  /** A stream is replaced when nothing came for so long. A keep-alive comes at least every 270 s (the same). @default 300000 */
  readonly watchdogMs?: number;
  /**
   * A stream that has asked for nothing for 60 s is closed by Salesforce (the same), so one event is asked for after so
   * long, even when too many wait. @default 45000
   */
  readonly lifelineMs?: number;
  /**
   * How long the start waits for Salesforce to answer or to refuse. A topic that has not been answered is not live, however
   * long that takes. @default 3000
   */
  readonly decideMs?: number;
}

/** Host and port, and how to speak to it. */
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
  readonly lifelineMs: number;
  readonly decideMs: number;
}

/** Guarantees usable options, or throws `SALESFORCE_INVALID_OPTION` naming the bad one. */
export function resolvePubSubOptions(options: PubSubOptions = {}): ResolvedPubSubOptions {
  const whole = (
    name: 'windowMax' | 'watchdogMs' | 'lifelineMs' | 'decideMs',
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
    lifelineMs: whole('lifelineMs', 45_000, 10, 59_000),
    decideMs: whole('decideMs', 3_000, 1, 60_000),
  });
}

/** Reads an endpoint; throws `SALESFORCE_INVALID_OPTION` for one that cannot be used, plaintext to elsewhere included. */
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
