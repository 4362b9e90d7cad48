/** The bound that a request met: that of its own account, or the one of all accounts together. */
export type QueueBound = 'account' | 'all';

/**
 * A request was not sent, because too many requests wait: it came last, or has made room for another one. The message
 * says whose wait.
 */
export class QueueFullError extends Error {
  constructor(
    readonly bound: QueueBound,
    countMax: number,
    slots: number,
  ) {
    const whose = bound === 'account' ? 'of the same account' : 'of all accounts together';
    super(`${countMax} requests ${whose} are waiting, as many as may, for ${slots} at once`);
    this.name = 'QueueFullError';
  }
}

/** A request was not sent, because its signal was aborted while it waited; `cause` is the signal's reason. */
export class QueueAbortedError extends Error {
  constructor(reason: unknown) {
    super('the request was given up while it waited for its turn', { cause: reason });
    this.name = 'QueueAbortedError';
  }
}
