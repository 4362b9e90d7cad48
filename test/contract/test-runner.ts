/**
 * The functions of a test runner that declare tests: those of Jest, of Vitest, or of `node:test`. Where the runner ends
 * slow tests, `it` takes as its third argument the milliseconds that a test needs at most.
 */
export interface TestRunner {
  readonly describe: (name: string, tests: () => void) => unknown;
  readonly it: (name: string, test: () => Promise<void>, timeoutMs?: number) => unknown;
  readonly afterEach: (work: () => Promise<void>) => unknown;
}
