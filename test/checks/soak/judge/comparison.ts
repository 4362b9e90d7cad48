import { elapse } from '../../../support/eventually.js';
import { APP_NAME, CUSTOMERS, type Deployment, type Slot } from '../deployment/deployment.js';
import { jsonOf } from '../deployment/http-client.js';
import { cachedKeys, countedByBucket, orderOfKey } from './cached-keys.js';
import { differenceOf } from './difference.js';
import { expectedPages, type Accounts, type ExpectedPage } from './truth.js';

/** The result of a comparison of every cached value with the org. */
export interface Comparison {
  readonly pages: number;
  /** Number of answers compared: pages times BFFs, plus those that were compared again. */
  readonly compared: number;
  /** Entries in Redis before the first page was read, by bucket. */
  readonly entries: Readonly<Record<string, number>>;
  /** Number of answers that differed from the org in the first round. */
  readonly differedAtFirst: number;
  /**
   * From the start of the comparison until the last time that a round had fewer wrong answers than the one before;
   * until the end of the first round if there was none.
   */
  readonly settledAfterMs: number;
  /** What was still wrong at the deadline: at most 20 lines, and the number of the others. */
  readonly mismatches: readonly string[];
}

const AT_ONCE = 8;
const LOOK_MS = 100;
const SHOWN_MAX = 20;

interface Look {
  readonly slot: Slot;
  readonly bff: number;
  readonly page: ExpectedPage;
}

/**
 * Reads every page through every BFF, and compares it with the body that the org's records make now. No writer may run
 * meanwhile. Pages that differ are read again until the deadline, because an event may be in progress. An entry that no
 * event drops stays wrong: reading does not repair it.
 */
export async function compareAll(deployment: Deployment, accounts: Accounts, withinMs: number): Promise<Comparison> {
  const beganAt = performance.now();
  const keys = await cachedKeys(deployment.redis.url, APP_NAME);
  const pages = await pagesOf(deployment, accounts, keys);
  const first = await differing(
    deployment,
    deployment.bffs.flatMap((slot, bff) => pages.map((page) => ({ slot, bff, page }))),
  );
  let wrong = first;
  let compared = pages.length * deployment.bffs.length;
  let settledAt = performance.now();
  // The deadline counts from the end of the first round, because that round alone may take long on a busy machine.
  const deadline = performance.now() + withinMs;
  while (wrong.length > 0 && performance.now() < deadline) {
    await elapse(LOOK_MS);
    compared += wrong.length;
    const left = await differing(deployment, wrong);
    if (left.length < wrong.length) settledAt = performance.now();
    wrong = left;
  }
  const mismatches = wrong.length === 0 ? [] : await stillWrong(deployment, accounts, wrong);
  // Every page was just read, so Redis must hold some entries. If none is found, `cachedKeys` looks in the wrong place,
  // and the kept orders were not checked.
  if (keys.length === 0 && (await cachedKeys(deployment.redis.url, APP_NAME)).length === 0)
    mismatches.push('no entry of any page was found in Redis');
  return {
    pages: pages.length,
    compared,
    entries: countedByBucket(keys),
    differedAtFirst: first.length,
    settledAfterMs: settledAt - beganAt,
    mismatches: [...mismatches.slice(0, SHOWN_MAX), ...more(mismatches.length - SHOWN_MAX)],
  };
}

async function pagesOf({ org }: Deployment, accounts: Accounts, keys: readonly string[]): Promise<ExpectedPage[]> {
  const expected = await expectedPages(org, accounts);
  return [...expected, ...strayPages(keys, expected)];
}

/** The looks that differ, with a description of the difference. */
async function differing(deployment: Deployment, looks: readonly Look[]): Promise<(Look & { readonly how: string })[]> {
  const found = await inTurns(looks, async (look) => ({ ...look, how: await differenceAt(deployment, look) }));
  return found.flatMap(({ how, ...look }) => (how === undefined ? [] : [{ ...look, how }]));
}

/**
 * Compares again with the org's current records: a write whose answer came too late may have changed them after all.
 */
async function stillWrong(deployment: Deployment, accounts: Accounts, wrong: readonly Look[]): Promise<string[]> {
  const now = new Map(
    (await expectedPages(deployment.org, accounts)).map((page) => [`${page.customer} ${page.path}`, page]),
  );
  const looks = wrong.map(({ slot, bff, page: { path, customer } }) => {
    return { slot, bff, page: now.get(`${customer} ${path}`) ?? { path, customer, body: undefined } };
  });
  return (await differing(deployment, looks)).map(({ how }) => how);
}

/** Pages that must answer 404: each cached order, as every customer requests it who does not have it. */
function strayPages(keys: readonly string[], expected: readonly ExpectedPage[]): ExpectedPage[] {
  const known = new Set(expected.map(({ path, customer }) => `${customer} ${path}`));
  return keys
    .map(orderOfKey)
    .filter((order) => order !== undefined)
    .flatMap((order) => CUSTOMERS.map((customer) => ({ path: `/api/orders/${order}`, customer, body: undefined })))
    .filter(({ path, customer }) => !known.has(`${customer} ${path}`));
}

async function differenceAt({ tokens }: Deployment, { slot, bff, page }: Look): Promise<string | undefined> {
  const headers = { authorization: `Bearer ${tokens.get(page.customer)}` };
  const where = `BFF ${bff}, customer ${page.customer}, ${page.path}`;
  try {
    const answer = await slot.http.call(page.path, { headers });
    if (page.body === undefined && answer.status === 404) return undefined;
    if (answer.status !== 200) return `${where}: answered ${answer.status} ${answer.text.slice(0, 200)}`;
    const difference = differenceOf(jsonOf(answer), page.body);
    return difference === undefined ? undefined : `${where}: ${difference}`;
  } catch (error) {
    return `${where}: ${(error as Error).message}`;
  }
}

async function inTurns<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let i = 0; i < all.length; i += AT_ONCE)
    results.push(...(await Promise.all(all.slice(i, i + AT_ONCE).map(work))));
  return results;
}

function more(count: number): string[] {
  return count > 0 ? [`and ${count} more`] : [];
}
