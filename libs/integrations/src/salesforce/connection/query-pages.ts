import { SalesforceError } from '../salesforce.errors.js';

interface Page {
  readonly records: unknown[];
  /** Number of records in the whole result; every page states it. */
  readonly totalSize: number;
  readonly nextRecordsUrl: string | undefined;
}

/** Paths of further pages, as the REST API names them. The token goes there, so it must be a path of the org. */
const NEXT_RECORDS = /^\/services\/data\/v\d+\.\d+\/[\w./-]{1,500}$/;

/**
 * All records of a query: further pages of the result, and of every child relationship with more than one page. Rejects
 * with `SALESFORCE_RESULT_TOO_LARGE` past `recordCountMax` records, children included. Never returns a part: the result
 * and every child relationship must have as many records as their `totalSize` says.
 */
export async function collectRecords(
  url: string,
  get: (url: string) => Promise<unknown>,
  recordCountMax: number,
): Promise<unknown[]> {
  let count = 0;
  const collect = async (first: Page): Promise<unknown[]> => {
    const records: unknown[] = [];
    for (let page: Page | undefined = first; page !== undefined;) {
      count += page.records.length;
      if (count > recordCountMax) {
        const advice = 'narrow the query or add a LIMIT';
        throw new SalesforceError(
          'SALESFORCE_RESULT_TOO_LARGE',
          `the query has more than ${recordCountMax} records; ${advice}`,
        );
      }
      for (const record of page.records) {
        await completeChildren(record);
        records.push(record);
      }
      if (page.nextRecordsUrl !== undefined && page.records.length === 0)
        throw unexpected('an unfinished page is empty');
      if (records.length > first.totalSize) throw unexpected(`it has more records than totalSize says`);
      page = page.nextRecordsUrl === undefined ? undefined : pageOf(await get(page.nextRecordsUrl));
    }
    if (records.length !== first.totalSize) {
      throw unexpected(`totalSize says ${first.totalSize} records, and ${records.length} came`);
    }
    return records;
  };
  const completeChildren = async (record: unknown): Promise<void> => {
    if (typeof record !== 'object' || record === null) return;
    for (const value of Object.values(record)) {
      if (!isChildResult(value)) continue;
      value.records = await collect(pageOf(value));
      value.totalSize = value.records.length;
      value.done = true;
      delete value.nextRecordsUrl;
    }
  };
  return collect(pageOf(await get(url)));
}

interface ChildResult {
  records: unknown[];
  totalSize: number;
  done: boolean;
  nextRecordsUrl?: string;
}

/**
 * Whether the value is meant as a result: it has one of these two fields. `pageOf` then rejects an incomplete result.
 */
function isChildResult(value: unknown): value is ChildResult {
  return typeof value === 'object' && value !== null && ('records' in value || 'totalSize' in value);
}

function pageOf(answer: unknown): Page {
  if (!isChildResult(answer) || !Array.isArray(answer.records)) throw unexpected('it has no records');
  const { records, done, totalSize, nextRecordsUrl } = answer;
  if (!Number.isInteger(totalSize)) throw unexpected('it has no totalSize');
  if (done === true) return { records, totalSize, nextRecordsUrl: undefined };
  if (typeof nextRecordsUrl !== 'string') throw unexpected('an unfinished page names no next one');
  if (!NEXT_RECORDS.test(nextRecordsUrl)) throw unexpected('the next page is at no path of the org');
  return { records, totalSize, nextRecordsUrl };
}

function unexpected(detail: string): SalesforceError {
  return new SalesforceError('SALESFORCE_UNAVAILABLE', `the answer to the query has an unexpected form: ${detail}`);
}
