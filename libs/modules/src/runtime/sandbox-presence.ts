import type { AppConfig } from '../config/app-config.js';

/** How long the sandbox may take to answer. */
const ANSWER_MS = 3_000;

/**
 * What to do, in a line, if the local sandbox is the Salesforce of this process and does not answer; undefined if it
 * answers, or the configuration names a Salesforce org. Never rejects.
 */
export async function sandboxAbsence({ salesforce, sandbox }: AppConfig): Promise<string | undefined> {
  if (!salesforce.isSandbox) return undefined;
  try {
    await fetch(`${sandbox.url}/health`, { method: 'HEAD', signal: AbortSignal.timeout(ANSWER_MS) });
    return undefined;
  } catch {
    return (
      `the sandbox does not answer at ${sandbox.url}, so there is no Salesforce, no WHMCS and nobody who issues tokens: ` +
      'start it (npm run start:sandbox), or name the org and the others (SF_LOGIN_URL, WHMCS_API_URL, AUTH_ISSUER)'
    );
  }
}
