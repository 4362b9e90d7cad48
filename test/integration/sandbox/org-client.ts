import jsforce from 'jsforce';
import type { Sandbox } from '../../../apps/sandbox/src/sandbox.js';

/** The sandbox's answer to a call without jsforce, which hides the status. */
export interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

/** jsforce, signed in to this sandbox. */
export function connectTo(sandbox: Sandbox, version = '67.0') {
  return new jsforce.Connection({ version, instanceUrl: sandbox.url, accessToken: sandbox.issueToken() });
}

/** A call below `/services/data/v67.0` (or another version) that also returns the status. */
export async function rest<T = any>(
  sandbox: Sandbox,
  method: string,
  path: string,
  body?: unknown,
  version = '67.0',
): Promise<Answer<T>> {
  const response = await fetch(`${sandbox.url}/services/data/v${version}${path}`, {
    method,
    headers: { authorization: `Bearer ${sandbox.issueToken()}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as T };
}
