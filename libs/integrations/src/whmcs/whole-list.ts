import { WhmcsError } from './whmcs.errors.js';

/** One page as WHMCS answers it: its rows, the total over all pages, and its own start and count. */
export interface WhmcsPage<Row> {
  readonly rows: readonly Row[];
  readonly totalresults: number;
  readonly startnumber: number | undefined;
  readonly numreturned: number | undefined;
}

/** Maximum number of readings of a list that keeps changing while it is read. */
const READS_MAX = 3;

/**
 * All rows of a list, each once, exactly as many as WHMCS states. A page shorter than stated, an empty page before the
 * end, a changed total, or a row that moved between two pages invalidates the read: the list is read again from the
 * start, and refused with `WHMCS_INVALID_ANSWER` after three reads. Rejects with `WHMCS_RESULT_TOO_LARGE` past
 * `rowCountMax`. Never resolves with a part.
 */
export async function wholeList<Row extends { readonly id: number }>(
  action: string,
  rowCountMax: number,
  read: (start: number) => Promise<WhmcsPage<Row>>,
): Promise<Row[]> {
  let problem = '';
  for (let reads = 0; reads < READS_MAX; reads += 1) {
    const list = await readOnce(action, rowCountMax, read);
    if (typeof list !== 'string') return list;
    problem = list;
  }
  throw new WhmcsError('WHMCS_INVALID_ANSWER', `${action} answers a list that is not whole: ${problem}`);
}

/** The rows, or a description of what is wrong with them. */
async function readOnce<Row extends { readonly id: number }>(
  action: string,
  rowCountMax: number,
  read: (start: number) => Promise<WhmcsPage<Row>>,
): Promise<Row[] | string> {
  const rows = new Map<number, Row>();
  let total: number | undefined;
  for (let start = 0; total === undefined || start < total;) {
    const page = await read(start);
    total ??= page.totalresults;
    if (Math.max(total, start + page.rows.length) > rowCountMax) {
      const text = `${action} has ${Math.max(total, page.rows.length)} rows, more than the ${rowCountMax} allowed`;
      throw new WhmcsError('WHMCS_RESULT_TOO_LARGE', text);
    }
    const problem = problemOf(page, start, total);
    if (problem !== undefined) return problem;
    for (const row of page.rows) rows.set(row.id, row);
    start += page.rows.length;
    if (rows.size !== start) return `a row is on two places; ${rows.size} of ${total} are there`;
  }
  return [...rows.values()];
}

function problemOf<Row>(page: WhmcsPage<Row>, start: number, total: number): string | undefined {
  const { rows, totalresults, startnumber, numreturned } = page;
  if (totalresults !== total) return `it had ${total} rows at first, and then ${totalresults}`;
  if (numreturned !== undefined && numreturned !== rows.length) {
    return `a page says that it has ${numreturned} rows, and has ${rows.length}`;
  }
  if (startnumber !== undefined && startnumber !== start) return `row ${start} was asked for, ${startnumber} answered`;
  if (rows.length === 0 && start < total) return `it says ${total} rows, and gives ${start}`;
  if (start + rows.length > total) return `it says ${total} rows, and gives ${start + rows.length}`;
  return undefined;
}
