import { SalesforceFault } from '../../org/org.errors.js';
import type { Org } from '../../org/org.js';
import type { ApiAnswer, ApiCall } from '../api-call.js';
import { requireVersion, versionNumber } from '../api-versions.js';
import { bodyFields, requireMethod } from '../call-checks.js';
import { resourcePath } from '../resource-path.js';
import { notCallable, type Handle } from './subrequests.js';

/** Maximum subrequests in one batch (REST API guide, "Batch"). */
const SUBREQUESTS_MAX = 25;

interface BatchRequest {
  readonly method: string;
  readonly url: string;
  readonly richInput: unknown;
}

interface BatchResult {
  readonly statusCode: number;
  readonly result: unknown;
}

/**
 * `/composite/batch`: independent subrequests, each in its own transaction, so the writes of one stay if a later one
 * fails. With `haltOnError` the subrequests after a failure do not run and answer 412.
 */
export function compositeBatch(call: ApiCall, handle: Handle, org: Org): ApiAnswer {
  requireVersion(call.version, 34);
  requireMethod(call, 'POST');
  const body = bodyFields(call.body);
  const haltOnError = body['haltOnError'] === true;
  const results: BatchResult[] = [];
  for (const request of requestsOf(body['batchRequests'])) {
    const isHalted = haltOnError && results.some(hasFailed);
    results.push(isHalted ? HALTED : answer(call, handle, org, request));
  }
  return { status: 200, body: { hasErrors: results.some(hasFailed), results } };
}

const HALTED: BatchResult = {
  statusCode: 412,
  result: new SalesforceFault(
    412,
    'BATCH_PROCESSING_HALTED',
    'Batch processing was halted, because of an error in a previous request',
  ).body(),
};

function hasFailed({ statusCode }: BatchResult): boolean {
  return statusCode >= 400;
}

function answer(call: ApiCall, handle: Handle, org: Org, { method, url, richInput }: BatchRequest): BatchResult {
  try {
    // Both `v67.0/limits` and `/services/data/v67.0/limits` are accepted.
    const resource = resourcePath(/^\/?v\d/.test(url) ? `/services/data/${url.replace(/^\//, '')}` : url);
    if (resource === undefined || resource.path[0] === 'composite') throw notCallable(url);
    if (versionNumber(resource.version) > versionNumber(call.version)) {
      throw new SalesforceFault(
        400,
        'INVALID_INPUT',
        `a subrequest cannot be of a later version than its batch: ${url}`,
      );
    }
    const answered = org.transaction(
      (transaction) => handle({ ...call, ...resource, method, body: richInput, transaction }),
      call.transaction.context,
    );
    return { statusCode: answered.status, result: answered.body ?? null };
  } catch (error) {
    if (!(error instanceof SalesforceFault)) throw error;
    return { statusCode: error.status, result: error.body() };
  }
}

function requestsOf(value: unknown): BatchRequest[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new SalesforceFault(
      400,
      'JSON_PARSER_ERROR',
      "a list 'batchRequests' with at least one subrequest is expected",
    );
  }
  if (value.length > SUBREQUESTS_MAX) {
    const message = `Cannot have more than ${SUBREQUESTS_MAX} subrequests in one batch`;
    throw new SalesforceFault(400, 'LIMIT_EXCEEDED', message);
  }
  return value.map((entry: unknown) => {
    const { method, url, richInput } = bodyFields(entry);
    if (typeof method === 'string' && typeof url === 'string') return { method: method.toUpperCase(), url, richInput };
    throw new SalesforceFault(400, 'JSON_PARSER_ERROR', 'every subrequest needs method and url');
  });
}
