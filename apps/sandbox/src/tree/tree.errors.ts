/** Thrown if a file of the data folder cannot be loaded; names the file, the record, and what to do. */
export class TreeDataError extends Error {
  constructor(file: string, record: string | undefined, problem: string, remedy: string) {
    super(`SANDBOX_DATA: ${file}${record === undefined ? '' : `, ${record}`}: ${problem}. ${remedy}`);
    this.name = 'TreeDataError';
  }
}
