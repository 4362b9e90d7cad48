import { randomBytes } from 'node:crypto';

/** Names an invalidation by 64 random bits, so that no two histories of a partition can be confused. */
export function nonce(): string {
  return randomBytes(8).toString('hex');
}

/** Names a history of a partition by 48 random bits. A number, because every entry carries it in six bytes. */
export function historyName(): number {
  return randomBytes(6).readUIntBE(0, 6);
}
