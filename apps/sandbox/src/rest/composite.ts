import { SalesforceFault } from '../org/org.errors.js';
import type { ApiAnswer, ApiCall } from './api-call.js';
import { requireVersion, versionNumber } from './api-versions.js';
import { bodyFields, requireMethod } from './sobjects.js';

/** Subrequests in one composite request (REST API guide, "Composite"). */
const SUBREQUESTS_MAX = 25;

/** Answers one call below the version; given by the API so that composite requests reach every resource. */
export type Handle = (call: ApiCall) => ApiAnswer;

interface Subrequest {
  readonly method: string;
  readonly url: string;
  readonly referenceId: string;
  readonly body: unknown;
}

interface SubResponse {
  readonly body: unknown;
  readonly httpHeaders: Readonly<Record<string, string>>;
  readonly httpStatusCode: number;
  readonly referenceId: string;
}

/**
 * `/composite`: the subrequests in order, each seeing what those before it wrote, all in one transaction. With
 * `allOrNone` a failure undoes everything and the others answer PROCESSING_HALTED; without it a failure undoes itself only.
 * A collection (`/composite/sobjects`) is one subrequest, and the outer `allOrNone` overrides its own (REST API guide,
 * "allOrNone Parameters in Composite and Collections Requests").
 */
export function composite(call: ApiCall, handle: Handle): ApiAnswer {
  requireVersion(call.version, 38);
  requireMethod(call, 'POST');
  const body = bodyFields(call.body);
  const subrequests = subrequestsOf(body['compositeRequest']);
  const { transaction } = call;
  const allOrNone = body['allOrNone'] === true;
  const start = transaction.mark();
  const responses: SubResponse[] = [];
  for (const subrequest of subrequests) {
    const mark = transaction.mark();
    const response = answer(call, handle, subrequest, responses, allOrNone);
    if (response.httpStatusCode >= 400) transaction.rollbackTo(mark);
    responses.push(response);
    if (allOrNone && hasFailed(response)) {
      transaction.rollbackTo(start);
      return { status: 200, body: { compositeResponse: halted(subrequests, response) } };
    }
  }
  return { status: 200, body: { compositeResponse: responses } };
}

/** A collection answers 200 whatever became of its records; each of them says so itself. */
function hasFailed({ httpStatusCode, body }: SubResponse): boolean {
  if (httpStatusCode >= 400) return true;
  return Array.isArray(body) && body.some((result: { success?: unknown } | null) => result?.success === false);
}

function answer(
  call: ApiCall,
  handle: Handle,
  subrequest: Subrequest,
  earlier: readonly SubResponse[],
  allOrNone: boolean,
): SubResponse {
  const { referenceId } = subrequest;
  try {
    const url = new URL(resolved(subrequest.url, earlier) as string, 'http://sandbox');
    const [version, ...path] = url.pathname
      .replace(/^\/services\/data\//, '')
      .split('/')
      .filter(Boolean)
      .map(decodeURIComponent);
    const isCollection = path[0] === 'composite' && path[1] === 'sobjects';
    const isNested = path[0] === 'composite' && !isCollection;
    if (!url.pathname.startsWith('/services/data/') || version === undefined || isNested) {
      throw new SalesforceFault(
        400,
        'INVALID_INPUT',
        `not a resource that a composite request can call: ${subrequest.url}`,
      );
    }
    versionNumber(version);
    const given = resolved(subrequest.body, earlier);
    const body = isCollection && allOrNone ? { ...bodyFields(given), allOrNone } : given;
    const answered = handle({ ...call, method: subrequest.method, version, path, query: url.searchParams, body });
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

function halted(subrequests: readonly Subrequest[], failed: SubResponse): SubResponse[] {
  const message = 'The transaction was rolled back since another operation in the same transaction failed.';
  const body = new SalesforceFault(400, 'PROCESSING_HALTED', message).body();
  return subrequests.map(({ referenceId }) =>
    referenceId === failed.referenceId ? failed : { body, httpHeaders: {}, httpStatusCode: 400, referenceId },
  );
}

function subrequestsOf(value: unknown): Subrequest[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new SalesforceFault(
      400,
      'JSON_PARSER_ERROR',
      "a list 'compositeRequest' with at least one subrequest is expected",
    );
  }
  if (value.length > SUBREQUESTS_MAX) {
    const message = `Cannot have more than ${SUBREQUESTS_MAX} subrequests in one composite request`;
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

/** The value with every `@{reference.path}` in it replaced by what the earlier answer holds at that path. */
function resolved(value: unknown, earlier: readonly SubResponse[]): unknown {
  if (typeof value === 'string')
    return value.replace(/@\{([^}]*)\}/g, (_, path: string) => String(valueAt(path, earlier)));
  if (Array.isArray(value)) return value.map((item) => resolved(item, earlier));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, resolved(item, earlier)]));
}

function valueAt(path: string, earlier: readonly SubResponse[]): unknown {
  const [referenceId, ...steps] = path.replace(/\[(\d+)\]/g, '.$1').split('.');
  let value: unknown = earlier.find((response) => response.referenceId === referenceId)?.body;
  for (const step of steps) {
    const has = typeof value === 'object' && value !== null && Object.hasOwn(value, step);
    value = has ? (value as Record<string, unknown>)[step] : undefined;
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  throw new SalesforceFault(
    400,
    'PROCESSING_HALTED',
    `Invalid reference specified. No value for ${path} found in ${referenceId ?? ''}`,
  );
}
