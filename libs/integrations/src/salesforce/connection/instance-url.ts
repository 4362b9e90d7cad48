import { SalesforceError } from '../salesforce.errors.js';

/** Domains under which only Salesforce serves org APIs: public, government, Alibaba Cloud. */
const SALESFORCE_HOST = /\.(salesforce\.com|cloudforce\.com|salesforce\.mil|crmforce\.mil|sfcrmproducts\.cn)$/;
const THIS_MACHINE = /^(localhost|\[::1\]|127(\.\d{1,3}){3})$/;

/**
 * The address that later requests send the token to, from the sign-in answer: HTTPS at Salesforce, this machine if the
 * login URL is also on it, or the origin that issued the token. Throws `SALESFORCE_UNAVAILABLE` for any other address,
 * or one with a user or password: an impostor of the token endpoint must not choose where the token of every request
 * and of the event stream goes.
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
