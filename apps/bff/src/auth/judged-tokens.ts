import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** Maximum number of tokens that are remembered, about 300 bytes each. */
const TOKENS_MAX = 10_000;

interface Judged {
  readonly subject: string;
  /** When the token stops being accepted, in milliseconds since 1970. */
  readonly endsAt: number;
  readonly generation: number;
}

/**
 * The subjects of tokens that were found good, so that a signature is checked once and not at every request. A token must
 * be judged again when it has ended, and when the keys of the issuer have been fetched anew, because its key may be
 * withdrawn. The tokens themselves are not kept, only their SHA-256.
 */
export class JudgedTokens {
  private readonly judged = new LRUCache<string, Judged>({ max: TOKENS_MAX });

  /**
   * The subject of a token that was found good under this generation of keys; undefined if it must be judged.
   * Generation undefined: the keys are not to be relied on without a look at the issuer.
   */
  subjectOf(token: string, generation: number | undefined): string | undefined {
    if (generation === undefined) return undefined;
    const known = this.judged.get(nameOf(token));
    return known && known.generation === generation && Date.now() < known.endsAt ? known.subject : undefined;
  }

  /** @param generation of the keys before the token was judged: they may have been fetched anew meanwhile */
  remember(token: string, subject: string, endsAt: number, generation: number | undefined): void {
    if (generation !== undefined) this.judged.set(nameOf(token), { subject, endsAt, generation });
  }
}

function nameOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
