import { SalesforceError } from './salesforce.errors.js';

interface Page {
  readonly records: unknown[];
  readonly done: boolean;
  readonly nextRecordsUrl: string | undefined;
}

/**
 * All records of a query: further pages of the result, and of every child relationship whose first page was not all of it.
 * Rejects with `SALESFORCE_RESULT_TOO_LARGE` past `recordCountMax` records, children included; never returns a part.
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
      if (!page.done && page.nextRecordsUrl === undefined) throw unexpected('an unfinished page names no next one');
      if (!page.done && page.records.length === 0) throw unexpected('an unfinished page is empty');
      page = page.done ? undefined : pageOf(await get(page.nextRecordsUrl as string));
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

function isChildResult(value: unknown): value is ChildResult {
  return (
    typeof value === 'object' && value !== null && 'records' in value && Array.isArray(value.records) && 'done' in value
  );
}

function pageOf(answer: unknown): Page {
  if (!isChildResult(answer)) throw unexpected('it has no records');
  const { records, done, nextRecordsUrl } = answer;
  return {
    records,
    done: done === true,
    nextRecordsUrl: typeof nextRecordsUrl === 'string' ? nextRecordsUrl : undefined,
  };
}

function unexpected(detail: string): SalesforceError {
  return new SalesforceError('SALESFORCE_UNAVAILABLE', `the answer to the query has an unexpected form: ${detail}`);
}
