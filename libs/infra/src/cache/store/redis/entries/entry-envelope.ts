import type { Dependency } from '../../../dependencies.js';
import type { StoredValue } from '../../../protocol/cache-store.js';
import type { Gate } from '../partition/partition.js';

/**
 * The header that `_partition.lua` packs: `state u8, expiry u48, codec u8, s u48, fetched u48, build u48, born u48,
 * depsLen u32`.
 */
export const HEADER_BYTES = 36;
const STATE_LIVE = 1;
const EXPIRY_AT = 1;
const CODEC_AT = 7;
const FETCH_CLOCK_AT = 8;
const FETCHED_AT = 14;
const BUILD_AT = 20;
const BORN_AT = 26;
const DEPS_LENGTH_AT = 32;

/** A value inside a reply. Fields that few hits need are read on demand. */
class EnvelopedValue implements StoredValue {
  readonly codec: number;
  decoded?: { readonly value: unknown };

  readonly #envelope: Buffer;

  constructor(envelope: Buffer) {
    this.#envelope = envelope;
    this.codec = envelope[CODEC_AT] as number;
  }

  /** A view into the reply, not a copy. */
  get bytes(): Buffer {
    return this.#envelope.subarray(this.valueAt);
  }

  get text(): string {
    return this.#envelope.toString('utf8', this.valueAt);
  }

  private get valueAt(): number {
    return HEADER_BYTES + this.#envelope.readUInt32BE(DEPS_LENGTH_AT);
  }

  get expiresAt(): number {
    return expiryOf(this.#envelope);
  }

  get fetchedAt(): number {
    return this.#envelope.readUIntBE(FETCHED_AT, 6);
  }
}

/** The value behind the header, not copied. */
export function storedValue(envelope: Buffer): StoredValue {
  return new EnvelopedValue(envelope);
}

/**
 * Whether the gate alone proves the entry valid: it is live, of this history, and its fetch began at or after both
 * floors (models `fast.pml` and `slots.pml`). Otherwise the entry may still be valid, but only `peek.lua` can decide.
 */
export function isProvenBy(gate: Gate, envelope: Buffer): boolean {
  if (envelope.length < HEADER_BYTES || envelope.readUInt8(0) !== STATE_LIVE) return false;
  if (envelope.readUIntBE(BORN_AT, 6) !== gate.born) return false;
  const fetchClock = envelope.readUIntBE(FETCH_CLOCK_AT, 6);
  return fetchClock >= gate.readFloor && fetchClock >= gate.unsweptFloor;
}

/** The dependencies that the entry carries; undefined if it carries none. */
export function embeddedDependencies(envelope: Buffer): Dependency[] | undefined {
  const length = envelope.readUInt32BE(DEPS_LENGTH_AT);
  if (length === 0) return undefined;
  return envelope.toString('utf8', HEADER_BYTES, HEADER_BYTES + length).split('\0') as Dependency[];
}

/** The server's time at which the entry expires, in milliseconds; 0 if it has no TTL of its own. */
export function expiryOf(envelope: Buffer): number {
  return envelope.readUIntBE(EXPIRY_AT, 6);
}

/** Orders the builds of a history: of two values of a key, the one with the higher number was begun later. */
export function buildOf(envelope: Buffer): number {
  return envelope.readUIntBE(BUILD_AT, 6);
}
