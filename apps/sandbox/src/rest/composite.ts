import type { ApiAnswer, ApiCall } from './api-call.js';
import { requireVersion } from './api-versions.js';
import { bodyFields, requireMethod } from './call-checks.js';
import { runSubrequests, subrequestsOf, type Handle } from './subrequests.js';

/** Subrequests in one composite request (REST API guide, "Composite"). */
const SUBREQUESTS_MAX = 25;

/**
 * `/composite`: the subrequests in order, each seeing what those before it wrote, all in one transaction. With
 * `allOrNone` a failure undoes everything and the others answer PROCESSING_HALTED; without it a failure undoes itself only.
 * A collection (`/composite/sobjects`) is one subrequest, and the outer `allOrNone` overrides its own (REST API guide,
 * "allOrNone Parameters in Composite and Collections Requests"). A GET lists what is below.
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
