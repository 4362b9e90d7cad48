/** The board did not confirm what was posted. Some of it may be on it all the same. */
export class NoticeBoardUnavailableError extends Error {
  readonly code = 'NOTICES_UNAVAILABLE';
  readonly retryable = true;

  constructor(reason: string, options?: ErrorOptions) {
    super(`the notice board does not answer: ${reason}`, options);
    this.name = 'NoticeBoardUnavailableError';
  }
}
