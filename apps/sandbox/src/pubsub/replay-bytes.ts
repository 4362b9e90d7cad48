/** A replay id in the form of the Pub/Sub API: eight bytes, the most significant first. It is opaque to clients. */
export function replayBytes(replayId: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(replayId));
  return bytes;
}

/** The replay id in these bytes; undefined for bytes that the API never gives. */
export function replayNumber(bytes: Buffer): number | undefined {
  if (bytes.length !== 8) return undefined;
  const replayId = bytes.readBigUInt64BE();
  return replayId <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(replayId) : undefined;
}
