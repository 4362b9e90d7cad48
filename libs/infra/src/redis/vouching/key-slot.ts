const SLOTS = 16_384;

/**
 * The slot of a key in a Redis Cluster, hash tags included (cluster specification, "Key distribution model":
 * CRC-16/XMODEM).
 */
export function keySlot(key: string): number {
  const tag = /^[^{]*\{([^}]+)\}/.exec(key)?.[1] ?? key; // an empty tag does not count
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc % SLOTS;
}
