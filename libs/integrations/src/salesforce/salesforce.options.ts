import { createPrivateKey } from 'node:crypto';
import { audienceFor } from './sign-in/jwt-audience.js';
import { SalesforceError } from './salesforce.errors.js';

/** OAuth client-credentials grant: the connected app acts as its own run-as user. */
export interface ClientCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** OAuth JWT bearer grant: the connected app acts as a user who has approved it; nothing secret is sent. */
export interface JwtBearerCredentials {
  readonly clientId: string;
  readonly username: string;
  /** PEM of the RSA key whose certificate the connected app knows. */
  readonly privateKey: string;
}

/** How to reach an org. Omitted options take the `@default` of their comment. */
export type SalesforceOptions = (ClientCredentials | JwtBearerCredentials) & {
  /** URL that issues tokens. For client credentials this is the org's My Domain URL. */
  readonly loginUrl: string;
  /** The audience of the JWT. @default the result of `audienceFor(loginUrl)` */
  readonly jwtAudience?: string;
  /** @default '67.0' (Summer '26); jsforce's own default, 50.0, is too old for the change events. */
  readonly apiVersion?: string;
  /**
   * Maximum time of one request, with the body of its answer, and with a new sign-in after a rejected token.
   * @default 15000
   */
  readonly requestTimeoutMs?: number;
  /**
   * Maximum number of requests at once. Salesforce allows 25 that take 20 s or longer (5 in a Developer org).
   * @default 10
   */
  readonly concurrency?: number;
  /**
   * Maximum number of requests that wait for a free slot; further ones are refused with `SALESFORCE_OVERLOADED`.
   * @default 200
   */
  readonly queueMax?: number;
  /** Maximum number of requests of one account that wait; further ones are refused likewise. @default 50 */
  readonly accountQueueMax?: number;
  /** Percentage of `concurrency` that one account may use while other accounts make requests. @default 50 */
  readonly accountSharePercent?: number;
  /**
   * Percentage of the org's daily requests that is kept for writes, and for accounts that have asked for little. 0
   * keeps nothing. @default 10
   */
  readonly quotaReservePercent?: number;
  /** Maximum number of records of one query over all its pages. @default 50000 */
  readonly recordCountMax?: number;
  /** Maximum bytes of one answer, decompressed; a page of a query has up to 2,000 records. @default 32 MiB */
  readonly answerBytesMax?: number;
  /** Sent as `Sforce-Call-Options: client=…`; change events name it in `changeOrigin`. @default 'evergreen' */
  readonly clientName?: string;
};

/** The options with defaults applied and limits checked. Frozen. */
export interface ResolvedSalesforceOptions {
  readonly credentials: ClientCredentials | JwtBearerCredentials;
  readonly loginUrl: string;
  readonly jwtAudience: string;
  readonly apiVersion: string;
  readonly requestTimeoutMs: number;
  readonly concurrency: number;
  readonly queueMax: number;
  readonly accountQueueMax: number;
  readonly accountSharePercent: number;
  readonly quotaReservePercent: number;
  readonly recordCountMax: number;
  readonly answerBytesMax: number;
  readonly clientName: string;
}

/** Guarantees usable options, or throws `SALESFORCE_INVALID_OPTION` naming every bad option and no value. */
export function resolveSalesforceOptions(options: SalesforceOptions): ResolvedSalesforceOptions {
  const problems: string[] = [];
  const whole = (name: string, value: number | undefined, fallback: number, min: number, max: number): number => {
    const number = value ?? fallback;
    if (!Number.isInteger(number) || number < min || number > max) {
      problems.push(`${name} must be a whole number from ${min} to ${max}`);
    }
    return number;
  };
  const apiVersion = options.apiVersion ?? '67.0';
  if (!/^\d{2}\.0$/.test(apiVersion) || Number(apiVersion) < 57) {
    problems.push('apiVersion must look like 67.0 and be 57.0 or later (PricebookEntry change events)');
  }
  if (!isHttpUrl(options.loginUrl)) problems.push('loginUrl must be an http or https URL without a user or a password');
  if (options.jwtAudience !== undefined && !isHttpUrl(options.jwtAudience)) {
    problems.push('jwtAudience must be an http or https URL');
  }
  const loginUrl = withoutTrailingSlash(options.loginUrl);
  const resolved: ResolvedSalesforceOptions = {
    credentials: credentialsOf(options, problems),
    loginUrl,
    jwtAudience: withoutTrailingSlash(options.jwtAudience ?? audienceFor(loginUrl)),
    apiVersion,
    requestTimeoutMs: whole('requestTimeoutMs', options.requestTimeoutMs, 15_000, 1, 600_000),
    concurrency: whole('concurrency', options.concurrency, 10, 1, 1_000),
    queueMax: whole('queueMax', options.queueMax, 200, 0, 100_000),
    accountQueueMax: whole('accountQueueMax', options.accountQueueMax, 50, 0, 100_000),
    accountSharePercent: whole('accountSharePercent', options.accountSharePercent, 50, 1, 100),
    quotaReservePercent: whole('quotaReservePercent', options.quotaReservePercent, 10, 0, 100),
    recordCountMax: whole('recordCountMax', options.recordCountMax, 50_000, 1, 1_000_000),
    answerBytesMax: whole('answerBytesMax', options.answerBytesMax, 32 * 1024 * 1024, 1_024, 1024 * 1024 * 1024),
    clientName: options.clientName ?? 'evergreen',
  };
  if (!/^[\w.-]{1,64}$/.test(resolved.clientName)) problems.push('clientName may hold letters, digits, _ . - only');
  if (problems.length > 0) throw new SalesforceError('SALESFORCE_INVALID_OPTION', problems.join('; '));
  return Object.freeze(resolved);
}

function credentialsOf(options: SalesforceOptions, problems: string[]): ClientCredentials | JwtBearerCredentials {
  if (!options.clientId) problems.push('clientId must not be empty');
  if ('privateKey' in options && options.privateKey) {
    if (!options.username) problems.push('username must be given beside privateKey');
    if (!isRsaKey(options.privateKey)) problems.push('privateKey must be the PEM of an RSA private key');
    return { clientId: options.clientId, username: options.username, privateKey: options.privateKey };
  }
  if ('clientSecret' in options && options.clientSecret) {
    return { clientId: options.clientId, clientSecret: options.clientSecret };
  }
  problems.push('either clientSecret, or username and privateKey, must be given');
  return { clientId: options.clientId, clientSecret: '' };
}

function withoutTrailingSlash(url: string): string {
  return url.replace(/\/+$/, '');
}

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}

function isRsaKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false; // not a PEM at all; the caller reports it without quoting it
  }
}
