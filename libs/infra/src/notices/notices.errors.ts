/** The board did not confirm the posts. Some of them may be on it all the same. */
export class NoticeBoardUnavailableError extends Error {
  readonly code = 'NOTICES_UNAVAILABLE';
  readonly retryable = true;

  constructor(reason: string, options?: ErrorOptions) {
    super(`the notice board does not answer: ${reason}`, options);
    this.name = 'NoticeBoardUnavailableError';
  }
}
