import { notFound, SalesforceFault } from '../org/org.errors.js';

/**
 * The served versions (REST API guide, "API End-of-Life Policy"): 31.0 is the oldest one since Summer '25, 67.0 is
 * Summer '26.
 */
export const API_VERSIONS = { oldest: 31, newest: 67 } as const;
/** The retired versions, which answer 410 GONE instead of 404. */
const RETIRED = { oldest: 7, newest: API_VERSIONS.oldest - 1 } as const;

/** One entry in the list of served versions. */
export interface ListedVersion {
  readonly label: string;
  readonly url: string;
  readonly version: string;
}

/** The answer of `/services/data`: the served versions, the oldest first, labelled with their releases. */
export function listedVersions(): ListedVersion[] {
  const count = API_VERSIONS.newest - API_VERSIONS.oldest + 1;
  return Array.from({ length: count }, (_, i) => {
    const number = API_VERSIONS.oldest + i;
    const version = `${number}.0`;
    return { label: releaseOf(number), url: `/services/data/v${version}`, version };
  });
}

/**
 * The number of a served version such as `v67.0`. Throws 410 GONE for a retired version and 404 for everything else.
 */
export function versionNumber(version: string): number {
  const number = Number(/^v(\d+)\.0$/.exec(version)?.[1] ?? Number.NaN);
  if (number >= RETIRED.oldest && number <= RETIRED.newest) {
    throw new SalesforceFault(
      410,
      'GONE',
      `The requested resource is no longer available: API version ${number}.0 is retired`,
    );
  }
  if (number >= API_VERSIONS.oldest && number <= API_VERSIONS.newest) return number;
  throw notFound();
}

/** Throws 404 if the version is older than the resource. */
export function requireVersion(version: string, since: number): void {
  if (versionNumber(version) < since) throw notFound();
}

/** Three releases a year, in the order Winter, Spring, Summer; 20.0 was Winter '11. */
function releaseOf(version: number): string {
  const season = ['Winter', 'Spring', 'Summer'][(version - 20) % 3] ?? '';
  return `${season} '${11 + Math.floor((version - 20) / 3)}`;
}
