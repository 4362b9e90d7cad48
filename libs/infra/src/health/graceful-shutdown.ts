import type { Readiness } from './readiness.js';

/** A Nest application or context. */
interface Closable {
  close(): Promise<void>;
}

/**
 * Guarantees that the first SIGTERM or SIGINT ends the process: readiness turns to draining, work under way finishes,
 * and after `graceMs` the process ends regardless. A second signal ends it at once.
 */
export function closeOnSignal(app: Closable, readiness: Readiness, graceMs: number, log: (text: string) => void): void {
  let isClosing = false;
  const close = (signal: NodeJS.Signals): void => {
    if (isClosing) process.exit(1);
    isClosing = true;
    log(`${signal}: finishing what is under way, for at most ${graceMs} ms`);
    readiness.drain();
    const overdue = setTimeout(() => {
      log(`still not finished after ${graceMs} ms: ending now`);
      process.exit(1);
    }, graceMs);
    app.close().then(
      () => {
        clearTimeout(overdue);
        process.exit(0);
      },
      (error: unknown) => {
        log(`closing failed: ${String(error)}`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', close);
  process.on('SIGINT', close);
}
