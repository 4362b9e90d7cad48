/** The two authorization servers that Salesforce Help names as audiences ("OAuth 2.0 JWT Bearer Flow"). */
const PRODUCTION = 'https://login.salesforce.com';
const SANDBOX = 'https://test.salesforce.com';

/**
 * The audience that an org accepts if it issues tokens at this URL, as far as the host name shows. For My Domain login
 * URLs, orgs answered `audience is invalid` to the My Domain, and accepted the general server (simple-salesforce #672
 * and #711, restforce #886); scratch orgs use the sandbox server. Salesforce's own CLI says that a URL no longer
 * decides it, and tries one audience after the other (sfdx-core). Since Spring '26 some orgs require their My Domain
 * after all (n8n #28990), so an option overrides this result.
 */
export function audienceFor(loginUrl: string): string {
  const { hostname } = URL.canParse(loginUrl) ? new URL(loginUrl) : { hostname: '' };
  if (!hostname.endsWith('.my.salesforce.com')) return loginUrl;
  return /\.(sandbox|scratch)\.my\.salesforce\.com$/.test(hostname) ? SANDBOX : PRODUCTION;
}
