/**
 * Whether an entry whose fetch began at `fetchedAt` is no older than that, where the store's time is `latest` at the most.
 * What is not known, or cannot be (a fetch that is yet to come: the store's clock was put back), is too old.
 */
export function isYoungEnough(
  fetchedAt: number | undefined,
  maxAgeSeconds: number | undefined,
  latest: number,
): boolean {
  if (maxAgeSeconds === undefined) return true;
  return fetchedAt !== undefined && fetchedAt <= latest && latest - fetchedAt <= maxAgeSeconds * 1000;
}
