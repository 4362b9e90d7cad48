import type { Admission } from '@bff/infra/sources/source-gate';
import { WhmcsError } from './whmcs.errors.js';

/** How to reach a WHMCS installation. */
export interface WhmcsOptions {
  /** The full URL of the API, e.g. `https://billing.example.com/includes/api.php`. */
  readonly url: string;
  /** An API credential pair (Setup > API Credentials). */
  readonly identifier: string;
  readonly secret: string;
  /** Maximum time of one request, the body of its answer included. @default 10000 */
  readonly requestTimeoutMs?: number;
  /** Maximum number of requests at once. @default 5 */
  readonly concurrency?: number;
  /**
   * Maximum number of requests that wait for a free slot; further ones are refused with `WHMCS_OVERLOADED`.
   * @default 200
   */
  readonly queueMax?: number;
  /** Maximum number of requests of one account that wait; further ones are refused likewise. @default 50 */
  readonly accountQueueMax?: number;
  /** Percentage of `concurrency` that one account may use while other accounts make requests. @default 50 */
  readonly accountSharePercent?: number;
  /**
   * Asked before each request waits for its turn; its rejection is the request's. @default every request is admitted
   */
  readonly admit?: Admission | undefined;
  /** Number of rows that one request of a list asks for. @default 100 */
  readonly pageSize?: number;
  /** Maximum number of rows of one list over all its pages. @default 5000 */
  readonly rowCountMax?: number;
  /** Maximum bytes of one answer, decompressed; a page of 100 rows has about 100 KB. @default 10 MiB */
  readonly answerBytesMax?: number;
}

/** The options with defaults applied and limits checked. Frozen. */
export type ResolvedWhmcsOptions = Readonly<Required<Omit<WhmcsOptions, 'admit'>>> & Pick<WhmcsOptions, 'admit'>;

/** Guarantees usable options, or throws `WHMCS_INVALID_OPTION` naming every bad option and no value. */
export function resolveWhmcsOptions(options: WhmcsOptions): ResolvedWhmcsOptions {
  const problems: string[] = [];
  const whole = (name: Exclude<keyof WhmcsOptions, 'admit'>, fallback: number, min: number, max: number): number => {
    const value = Number(options[name] ?? fallback);
    if (!Number.isInteger(value) || value < min || value > max) {
      problems.push(`${name} must be a whole number from ${min} to ${max}`);
    }
    return value;
  };
  if (!URL.canParse(options.url) || !/^https?:$/.test(new URL(options.url).protocol)) {
    problems.push('url must be the http or https URL of includes/api.php');
  } else if (new URL(options.url).username !== '' || new URL(options.url).password !== '') {
    problems.push('url must not hold a user or a password');
  }
  if (!options.identifier) problems.push('identifier must not be empty');
  if (!options.secret) problems.push('secret must not be empty');
  const resolved = {
    url: options.url,
    identifier: options.identifier,
    secret: options.secret,
    requestTimeoutMs: whole('requestTimeoutMs', 10_000, 1, 600_000),
    concurrency: whole('concurrency', 5, 1, 1_000),
    queueMax: whole('queueMax', 200, 0, 100_000),
    accountQueueMax: whole('accountQueueMax', 50, 0, 100_000),
    accountSharePercent: whole('accountSharePercent', 50, 1, 100),
    admit: options.admit,
    pageSize: whole('pageSize', 100, 1, 1_000),
    rowCountMax: whole('rowCountMax', 5_000, 1, 1_000_000),
    answerBytesMax: whole('answerBytesMax', 10 * 1024 * 1024, 1_024, 1024 * 1024 * 1024),
  };
  if (problems.length > 0) throw new WhmcsError('WHMCS_INVALID_OPTION', problems.join('; '));
  return Object.freeze(resolved);
}
