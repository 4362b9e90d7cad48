import { createHmac, randomBytes } from 'node:crypto';

/** What a pseudonym stands for. The same text has another pseudonym as another kind. */
export type PseudonymKind = 'subject' | 'account' | 'idempotency-key' | 'order-content' | 'order-request';

/** Bytes of the HMAC that a pseudonym keeps: too many for two texts to share one by chance. */
const BYTES = 16;

/**
 * Replaces identifiers of customers where others may read them: in logs, reports and names of keys. Processes with the
 * same key give the same pseudonym to the same text, and nobody without the key can find out or guess the text.
 */
export class Pseudonyms {
  private readonly key: Buffer;

  /** `key`: 32 bytes in base64. @default a random key, whose pseudonyms mean nothing to other processes */
  constructor(key?: string) {
    this.key = key === undefined ? randomBytes(32) : Buffer.from(key, 'base64');
  }

  /** 22 characters of base64url: the first 16 bytes of HMAC-SHA256 over the kind, a zero byte and the text. */
  of(kind: PseudonymKind, text: string): string {
    const digest = createHmac('sha256', this.key).update(`${kind}\0`).update(text).digest();
    return digest.subarray(0, BYTES).toString('base64url');
  }
}
