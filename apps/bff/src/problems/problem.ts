/** An answer that is not the one asked for, as RFC 9457 problem details. Members beyond these are extensions. */
export interface Problem {
  /** Names the kind of problem; clients compare it, nobody has to open it. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** What is wrong this time, and what to do. */
  readonly detail?: string;
  /** The stable code of the error, where it has one. */
  readonly code?: string;
  /** What is wrong with each part of the request. */
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  /** Seconds after which the same request may succeed; sent as `Retry-After`. */
  readonly retryAfterSeconds?: number;
}

/** Thrown by our own code to answer with this problem. */
export class ProblemError extends Error {
  constructor(
    readonly problem: Problem,
    readonly headers: Readonly<Record<string, string>> = {},
    options?: ErrorOptions,
  ) {
    super(problem.detail ?? problem.title, options);
    this.name = 'ProblemError';
  }
}

type Extra = Omit<Problem, 'type' | 'title' | 'status' | 'detail'>;

/** A problem of a named kind, e.g. `problem(404, 'order-not-found', 'No such order', '…')`. */
export function problem(status: number, kind: string, title: string, detail?: string, extra: Extra = {}): Problem {
  return { type: `urn:evergreen:problem:${kind}`, title, status, ...(detail !== undefined && { detail }), ...extra };
}
