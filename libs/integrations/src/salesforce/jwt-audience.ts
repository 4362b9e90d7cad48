/** The two authorization servers that Salesforce Help names as audiences ("OAuth 2.0 JWT Bearer Flow"). */
const PRODUCTION = 'https://login.salesforce.com';
const SANDBOX = 'https://test.salesforce.com';

/**
 * The audience that an org takes whose tokens are issued at this URL, as far as its name tells. At a My Domain assertions
 * that name the My Domain were answered with `audience is invalid`, and those that name the general server were taken
 * (simple-salesforce #672 and #711, restforce #886); scratch orgs are sandboxes there. Salesforce's own CLI says that a URL
 * decides it no more and tries one after the other (sfdx-core), and since Spring '26 some orgs want their My Domain after
 * all (n8n #28990), so it can be set.
 */
export function audienceFor(loginUrl: string): string {
  const { hostname } = URL.canParse(loginUrl) ? new URL(loginUrl) : { hostname: '' };
  if (!hostname.endsWith('.my.salesforce.com')) return loginUrl;
  return /\.(sandbox|scratch)\.my\.salesforce\.com$/.test(hostname) ? SANDBOX : PRODUCTION;
}
