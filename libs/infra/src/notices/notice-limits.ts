/**
 * About how many notices a board keeps. At a hundred notices a second it covers the last hundred seconds, longer than a
 * browser needs to return after a deployment. About 100 bytes each in Redis, 200 in a process.
 */
export const NOTICES_KEPT = 10_000;

/** How many sources a board remembers at most, and how long each: far more than a replaced consumer delivers twice. */
export const SOURCES_KEPT = 10_000;
export const SOURCE_LIFE_MS = 600_000;
