/** An answer other than the requested one, as RFC 9457 problem details. Members beyond these are extensions. */
export interface Problem {
  /** Identifies the kind of problem; clients compare it and need not open it. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** This occurrence's fault, and how to fix it. */
  readonly detail?: string;
  /** The stable code of the error, if it has one. */
  readonly code?: string;
  /** The fault in each part of the request. */
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  /** The policies of `RateLimit-Policy` that the request exceeded (draft-ietf-httpapi-ratelimit-headers-11). */
  readonly 'violated-policies'?: readonly string[];
  /** Seconds after which the same request may succeed; sent as `Retry-After`. */
  readonly retryAfterSeconds?: number;
}

interface ProblemErrorOptions extends ErrorOptions {
  /** Why the request is refused, for the audit: one of few words of ours, and nothing that the caller sent. */
  readonly reason?: string | undefined;
}

/** Our code throws it to answer with this problem. */
export class ProblemError extends Error {
  readonly reason: string | undefined;

  constructor(
    readonly problem: Problem,
    readonly headers: Readonly<Record<string, string>> = {},
    { reason, ...options }: ProblemErrorOptions = {},
  ) {
    super(problem.detail ?? problem.title, options);
    this.name = 'ProblemError';
    this.reason = reason;
  }
}

type Extra = Omit<Problem, 'type' | 'title' | 'status' | 'detail'>;

const KIND = 'urn:evergreen:problem:';

/** The name of the problem's kind, without what all of them begin with. */
export function kindOfProblem({ type }: Problem): string {
  return type.slice(KIND.length);
}

/** A problem of a named kind, e.g. `problem(404, 'order-not-found', 'No such order', '…')`. */
export function problem(status: number, kind: string, title: string, detail?: string, extra: Extra = {}): Problem {
  return { type: `${KIND}${kind}`, title, status, ...(detail !== undefined && { detail }), ...extra };
}
