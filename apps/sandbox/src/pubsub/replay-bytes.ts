/** A replay id as the Pub/Sub API shows it: eight bytes, the most significant first. Clients must not read anything into them. */
export function replayBytes(replayId: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(replayId));
  return bytes;
}

/** The position that the bytes stand for; undefined for bytes that were never given to anybody. */
export function replayNumber(bytes: Buffer): number | undefined {
  if (bytes.length !== 8) return undefined;
  const replayId = bytes.readBigUInt64BE();
  return replayId <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(replayId) : undefined;
}
