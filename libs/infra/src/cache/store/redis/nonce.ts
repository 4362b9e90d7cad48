import { randomBytes } from 'node:crypto';

/** 64 random bits: names an invalidation, so that no two histories of a partition can be taken for one another. */
export function nonce(): string {
  return randomBytes(8).toString('hex');
}
