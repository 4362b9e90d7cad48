import type { ApiAnswer, ApiCall } from '../api-call.js';
import { requireVersion } from '../api-versions.js';
import { bodyFields, requireMethod } from '../call-checks.js';
import { runSubrequests, subrequestsOf, type Handle } from './subrequests.js';

/** Maximum subrequests in one composite request (REST API guide, "Composite"). */
const SUBREQUESTS_MAX = 25;

/**
 * `/composite`: runs the subrequests in order, all in one transaction; each sees the writes of those before it. With
 * `allOrNone` a failure undoes everything and the others answer PROCESSING_HALTED; without it a failure undoes only its
 * own writes. A collection (`/composite/sobjects`) is one subrequest, and a true outer `allOrNone` overrides its own
 * (REST API guide, "allOrNone Parameters in Composite and Collections Requests"). A GET lists the resources below.
 */
export function composite(call: ApiCall, handle: Handle): ApiAnswer {
  if (call.method === 'GET') return { status: 200, body: kinds(call.version) };
  requireVersion(call.version, 38);
  requireMethod(call, 'GET', 'POST');
  const body = bodyFields(call.body);
  const subrequests = subrequestsOf(body['compositeRequest'], SUBREQUESTS_MAX);
  const allOrNone = body['allOrNone'] === true;
  const mayCall = ([resource, kind]: readonly string[]): boolean => resource !== 'composite' || kind === 'sobjects';
  const compositeResponse = runSubrequests(call, handle, subrequests, { allOrNone, mayCall });
  return { status: 200, body: { compositeResponse } };
}

function kinds(version: string): Record<string, string> {
  const names = ['tree', 'batch', 'sobjects', 'graph'];
  return Object.fromEntries(names.map((name) => [name, `/services/data/${version}/composite/${name}`]));
}
