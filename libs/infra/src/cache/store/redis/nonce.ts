import { randomBytes } from 'node:crypto';

/** 64 random bits: names an invalidation, so that no two histories of a partition can be taken for one another. */
export function nonce(): string {
  return randomBytes(8).toString('hex');
}

/** 48 random bits: names a history of a partition. A number, because every entry carries it in six bytes. */
export function historyName(): number {
  return randomBytes(6).readUIntBE(0, 6);
}
