/**
 * How many notices a board keeps: at a hundred changes a second those of the last hundred seconds, which is longer than a
 * browser takes to come back after a deployment. Some 100 bytes each in Redis, 200 in a process.
 */
export const NOTICES_KEPT = 10_000;

/** How many sources a board remembers, and for how long: far more than a consumer that is replaced hands over twice. */
export const SOURCES_KEPT = 10_000;
export const SOURCE_LIFE_MS = 600_000;
