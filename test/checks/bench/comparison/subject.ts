/** A cache as one instance of a service holds it: an L1, Redis behind it, and a bus between L1s where there is one. */
export interface Instance {
  get(key: string, fetch: Fetch): Promise<unknown>;
  delete(key: string): Promise<unknown>;
  close(): Promise<unknown>;
  /** Absent in a cache without tags. Others say tag where we say dependency. */
  readonly tags?: Tagging;
}

export interface Tagging {
  /** The entry has the tag before its fetch begins. */
  get(key: string, tag: string, fetch: Fetch): Promise<unknown>;
  /** The fetch names the tag when it has its answer. */
  getAndLearn(key: string, tag: string, fetch: Fetch): Promise<unknown>;
  invalidate(tag: string): Promise<unknown>;
}

export type Fetch = () => Promise<unknown>;

/** A cache that is compared. */
export interface Subject {
  readonly name: string;
  /** The package whose version is printed, relative to the folder of the peers; none for Evergreen. */
  readonly packageName?: string;
  open(redisUrl: string): Promise<Instance>;
}
