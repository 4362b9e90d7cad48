/** That something changed, for those whom it concerns. It never says what: whoever is told reads anew. */
export interface Notice {
  /** Its place on the board, the same in every process. Opaque: handed back to `since`, never computed with. */
  readonly id: string;
  readonly name: string;
  /** Whom it concerns, as the poster named them; null: everybody. */
  readonly audience: string | null;
  /** When it was posted, in milliseconds since the epoch by the board's own clock. */
  readonly at: number;
}

/** What is to become a notice. */
export interface Post {
  readonly name: string;
  readonly audience: string | null;
  /**
   * What happened, by its id at the source. The same name, audience and source make one notice, however often they are
   * posted within ten minutes. @default none: every post is news
   */
  readonly source?: string | undefined;
}

/** Who hears of notices. Neither call may throw. */
export interface NoticeFollower {
  /** Every notice once, in the order of the board. */
  onNotice(notice: Notice): void;
  /** Notices may have been lost (the store was emptied, or this process was away for too long): nothing is known before now. */
  onLost(): void;
}

/** Whether the board hears of notices at present; `reason` without any secret. */
export interface BoardState {
  readonly status: 'up' | 'down';
  readonly reason?: string;
}

/**
 * Where any process posts notices and every process that follows reads them, in one order. It keeps the newest of them, so
 * that somebody who was away for a while can be told what was missed, by whichever process.
 */
export abstract class NoticeBoard {
  /**
   * Resolves when the notices are on the board; answers how many are new. Posts of one call with the same name and audience
   * become one notice. Rejects with `NoticeBoardUnavailableError`; then some of them may be on the board all the same, and
   * posting them again with their sources does no harm.
   */
  abstract publish(posts: readonly Post[]): Promise<number>;
  /** Calls back for every notice from now on, until the returned function is called. The first follower opens a connection. */
  abstract follow(follower: NoticeFollower): () => void;
  /** The id of the newest notice that followers have been told of; undefined until the board has been read for the first time. */
  abstract position(): string | undefined;
  /**
   * The notices after this one that followers have been told of, in order; undefined if the board does not reach back that
   * far, or never held it: then anything may have been missed.
   */
  abstract since(id: string): Promise<readonly Notice[] | undefined>;
  abstract state(): BoardState;
  /** No follower is called any more. */
  abstract close(): Promise<void>;
}
