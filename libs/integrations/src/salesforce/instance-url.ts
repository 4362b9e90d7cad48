import { SalesforceError } from './salesforce.errors.js';

/** Domains under which Salesforce serves the API of orgs, and nobody else anything: public, government, Alibaba's cloud. */
const SALESFORCE_HOST = /\.(salesforce\.com|cloudforce\.com|salesforce\.mil|crmforce\.mil|sfcrmproducts\.cn)$/;
const THIS_MACHINE = /^(localhost|\[::1\]|127(\.\d{1,3}){3})$/;

/**
 * The address to which the token is sent from now on, as the sign-in answered it: over TLS at Salesforce, or at the very
 * place where the token was issued. Throws `SALESFORCE_UNAVAILABLE` for anything else: whoever answers in the place of the
 * token endpoint must not choose who gets the token of every request, and of the event stream.
 */
export function checkedInstanceUrl(answered: string, loginUrl: string): string {
  if (URL.canParse(answered)) {
    const url = new URL(answered);
    const login = new URL(loginUrl);
    const isAtSalesforce = url.protocol === 'https:' && SALESFORCE_HOST.test(url.hostname);
    const isHere = THIS_MACHINE.test(url.hostname) && THIS_MACHINE.test(login.hostname);
    const hasNoUser = url.username === '' && url.password === '';
    if (hasNoUser && (isAtSalesforce || isHere || url.origin === login.origin)) {
      return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
    }
  }
  throw new SalesforceError(
    'SALESFORCE_UNAVAILABLE',
    `the sign-in at ${loginUrl} names an instance that is neither Salesforce's nor where the token was issued; check SF_LOGIN_URL`,
  );
}
