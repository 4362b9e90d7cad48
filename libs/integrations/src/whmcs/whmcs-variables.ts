import { defaulted, optional } from '@bff/infra/config/documented-variable';
import { httpUrl, oneLine, text, wholeNumber } from '@bff/infra/config/value-kinds';

/** The variables for the WHMCS API and its webhooks. */
export const whmcsVariables = {
  WHMCS_API_URL: optional(httpUrl, {
    group: 'whmcs',
    description: 'The URL of includes/api.php. Without it the local sandbox is used.',
  }),
  WHMCS_API_IDENTIFIER: optional(oneLine, {
    group: 'whmcs',
    description: 'The identifier of the API credential.',
    secret: 'whole',
  }),
  WHMCS_API_SECRET: optional(oneLine, {
    group: 'whmcs',
    description: 'The secret of the API credential.',
    secret: 'whole',
  }),
  WHMCS_REQUEST_TIMEOUT_MS: defaulted(wholeNumber(100, 600_000), '15000', {
    group: 'whmcs',
    description: 'A request that WHMCS has not answered after this time fails.',
  }),
  WHMCS_CONCURRENCY: defaulted(wholeNumber(1, 1_000), '5', {
    group: 'whmcs',
    description: 'How many requests to WHMCS may run at once in one process.',
  }),
  WHMCS_QUEUE_MAX: defaulted(wholeNumber(0, 100_000), '200', {
    group: 'whmcs',
    description: 'How many further requests may wait for their turn; beyond it the longest queue loses its newest one.',
  }),
  WHMCS_ACCOUNT_QUEUE_MAX: defaulted(wholeNumber(0, 100_000), '50', {
    group: 'whmcs',
    description: 'How many of them may belong to one account; its next one fails at once.',
  }),
  WHMCS_ACCOUNT_SHARE_PERCENT: defaulted(wholeNumber(1, 100), '50', {
    group: 'whmcs',
    description: 'The part of WHMCS_CONCURRENCY that one account may use while others make requests, too.',
  }),
  WHMCS_WEBHOOK_SECRET: optional(text('at least 32 characters on one line', /^[^\r\n]{32,4096}$/), {
    group: 'whmcs',
    description: 'Signs POST /webhooks/whmcs; without it there is no such address. Make one with: openssl rand -hex 32',
    secret: 'whole',
  }),
  WHMCS_WEBHOOK_TOLERANCE_SECONDS: defaulted(wholeNumber(5, 3_600), '300', {
    group: 'whmcs',
    description: 'How far the time that a webhook was signed at may be from ours.',
  }),
};
