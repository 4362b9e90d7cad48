/** Announces that something changed, and for which audience. It never holds the change itself: receivers read anew. */
export interface Notice {
  /** Its place on the board, the same in every process. Opaque: pass it to `since`, compute nothing with it. */
  readonly id: string;
  readonly name: string;
  /** The audience as the poster named it; null: everybody. */
  readonly audience: string | null;
  /** When it was posted, in milliseconds since the epoch by the board's own clock. */
  readonly at: number;
}

/** A notice to be posted. */
export interface Post {
  readonly name: string;
  readonly audience: string | null;
  /**
   * The event's id at its source. Posts with the same name, audience and source make one notice while the board
   * remembers that source: for ten minutes, unless there are too many (`SOURCES_KEPT`).
   * @default none: every post makes a notice
   */
  readonly source?: string | undefined;
}

/** Receives notices. Neither method may throw. */
export interface NoticeFollower {
  /** Called once for every notice that is not lost, in the order of the board. */
  onNotice(notice: Notice): void;
  /**
   * Notices may have been lost (the store was emptied, or this process was away for too long): nothing is known of the
   * time before now.
   */
  onLost(): void;
}

/** Whether the board receives notices now; `reason` holds no secret. */
export interface BoardState {
  readonly status: 'up' | 'down';
  readonly reason?: string;
}

/**
 * Any process posts notices here, and every process that follows reads them in one order. The board keeps the newest,
 * so that any process can hand a client that was away for a while the notices it missed.
 */
export abstract class NoticeBoard {
  /**
   * Resolves with the number of new notices once all are on the board. Posts of one call with the same name and
   * audience become one notice (with Redis, if they are among the same 200 posts). Rejects with
   * `NoticeBoardUnavailableError`; some may then be on the board all the same, and posting them again with their
   * sources does no harm.
   */
  abstract publish(posts: readonly Post[]): Promise<number>;
  /**
   * Calls back for every notice from now on, until the returned function is called. With Redis, the first follower
   * opens a connection.
   */
  abstract follow(follower: NoticeFollower): () => void;
  /** The id of the newest notice that this process has read; undefined until the board has been read once. */
  abstract position(): string | undefined;
  /**
   * The notices after this one that concern everybody or one of these audiences and that this process has read, in
   * order. No notice of another audience is among them. The call may wait up to a second for this process to read this
   * one. Undefined if the board does not reach back that far or never held it: then anything may have been missed.
   */
  abstract since(id: string, audiences: readonly string[]): Promise<readonly Notice[] | undefined>;
  abstract state(): BoardState;
  /** Stops calling followers. */
  abstract close(): Promise<void>;
}
