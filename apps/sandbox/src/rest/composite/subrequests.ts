import { SalesforceFault } from '../../org/org.errors.js';
import type { ApiAnswer, ApiCall } from '../api-call.js';
import { versionNumber } from '../api-versions.js';
import { bodyFields } from '../call-checks.js';
import { resolved, type SubResponse } from './references.js';
import { resourcePath } from '../resource-path.js';

/** Answers one call below the version. The API passes it in, so that a composite request reaches every resource. */
export type Handle = (call: ApiCall) => ApiAnswer;

/** One call inside a composite request. */
export interface Subrequest {
  readonly method: string;
  readonly url: string;
  readonly referenceId: string;
  readonly body: unknown;
}

/** The rules by which subrequests run. */
export interface SubrequestRules {
  /** Whether a failure undoes everything; the others then answer PROCESSING_HALTED. */
  readonly allOrNone: boolean;
  /** Whether a subrequest may call the resource with these segments below the version. */
  readonly mayCall: (path: readonly string[]) => boolean;
}

/**
 * Runs the subrequests in order in the call's transaction and returns their answers. Each sees the writes of those
 * before it.
 */
export function runSubrequests(
  call: ApiCall,
  handle: Handle,
  subrequests: readonly Subrequest[],
  rules: SubrequestRules,
): SubResponse[] {
  const { transaction } = call;
  const start = transaction.mark();
  const responses: SubResponse[] = [];
  for (const subrequest of subrequests) {
    const mark = transaction.mark();
    const response = answer(call, handle, subrequest, responses, rules);
    if (response.httpStatusCode >= 400) transaction.rollbackTo(mark);
    responses.push(response);
    if (rules.allOrNone && hasFailed(response)) {
      transaction.rollbackTo(start);
      return halted(subrequests, response);
    }
  }
  return responses;
}

/**
 * Whether a subrequest has failed. A collection answers 200 even if records failed, so each record's result is checked.
 */
export function hasFailed({ httpStatusCode, body }: SubResponse): boolean {
  if (httpStatusCode >= 400) return true;
  return Array.isArray(body) && body.some((result: { success?: unknown } | null) => result?.success === false);
}

/**
 * The subrequests of a body. Throws JSON_PARSER_ERROR, INVALID_INPUT or LIMIT_EXCEEDED if they are malformed or too
 * many.
 */
export function subrequestsOf(value: unknown, countMax: number): Subrequest[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new SalesforceFault(
      400,
      'JSON_PARSER_ERROR',
      "a list 'compositeRequest' with at least one subrequest is expected",
    );
  }
  if (value.length > countMax) {
    const message = `Cannot have more than ${countMax} subrequests in one composite request`;
    throw new SalesforceFault(400, 'LIMIT_EXCEEDED', message);
  }
  const seen = new Set<string>();
  return value.map((entry: unknown) => {
    const { method, url, referenceId, body } = bodyFields(entry);
    if (typeof method !== 'string' || typeof url !== 'string' || typeof referenceId !== 'string') {
      throw new SalesforceFault(400, 'JSON_PARSER_ERROR', 'every subrequest needs method, url and referenceId');
    }
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(referenceId) || seen.has(referenceId)) {
      throw new SalesforceFault(400, 'INVALID_INPUT', `the referenceId '${referenceId}' is malformed or given twice`);
    }
    seen.add(referenceId);
    return { method, url, referenceId, body };
  });
}

function answer(
  call: ApiCall,
  handle: Handle,
  subrequest: Subrequest,
  earlier: readonly SubResponse[],
  { allOrNone, mayCall }: SubrequestRules,
): SubResponse {
  const { method, referenceId } = subrequest;
  try {
    const resource = resourcePath(resolved(subrequest.url, earlier) as string);
    if (resource === undefined || !mayCall(resource.path)) throw notCallable(subrequest.url);
    versionNumber(resource.version);
    const given = resolved(subrequest.body, earlier);
    const isCollection = resource.path[0] === 'composite';
    const body = isCollection && allOrNone ? { ...bodyFields(given), allOrNone } : given;
    const answered = handle({ ...call, ...resource, method, body });
    return {
      body: answered.body ?? null,
      httpHeaders: answered.headers ?? {},
      httpStatusCode: answered.status,
      referenceId,
    };
  } catch (error) {
    if (!(error instanceof SalesforceFault)) throw error;
    return { body: error.body(), httpHeaders: {}, httpStatusCode: error.status, referenceId };
  }
}

/** The refusal of a resource that a composite request cannot call. */
export function notCallable(url: string): SalesforceFault {
  return new SalesforceFault(400, 'INVALID_INPUT', `not a resource that a composite request can call: ${url}`);
}

function halted(subrequests: readonly Subrequest[], failed: SubResponse): SubResponse[] {
  const message = 'The transaction was rolled back since another operation in the same transaction failed.';
  const body = new SalesforceFault(400, 'PROCESSING_HALTED', message).body();
  return subrequests.map(({ referenceId }) =>
    referenceId === failed.referenceId ? failed : { body, httpHeaders: {}, httpStatusCode: 400, referenceId },
  );
}
