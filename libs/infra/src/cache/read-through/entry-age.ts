/**
 * Whether an entry whose fetch began at `fetchedAt` is at most `maxAgeSeconds` old, if the store's time is at most
 * `latest`. Without `maxAgeSeconds` every age will do. Otherwise an unknown age is too old; so is an impossible one (a
 * fetch in the future: the store's clock was put back).
 */
export function isYoungEnough(
  fetchedAt: number | undefined,
  maxAgeSeconds: number | undefined,
  latest: number,
): boolean {
  if (maxAgeSeconds === undefined) return true;
  return fetchedAt !== undefined && fetchedAt <= latest && latest - fetchedAt <= maxAgeSeconds * 1000;
}
