import type { Readiness } from './readiness.js';

/** A Nest application or context. */
interface Closable {
  close(): Promise<void>;
}

/** The two parts of the end of a process. */
export interface ShutdownTimes {
  /** Requests are still taken, while readiness is draining: a balancer needs this long to notice. */
  readonly drainMs: number;
  /** After that, work under way may take this long. */
  readonly graceMs: number;
}

/**
 * Guarantees that the first SIGTERM or SIGINT ends the process: readiness turns to draining at once, requests are taken
 * for `drainMs` more, then work under way finishes, and after `graceMs` the process ends regardless. A second signal
 * ends it at once.
 */
export function closeOnSignal(
  app: Closable,
  readiness: Readiness,
  { drainMs, graceMs }: ShutdownTimes,
  log: (text: string) => void,
): void {
  let isClosing = false;
  const finish = (): void => {
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
  const close = (signal: NodeJS.Signals): void => {
    if (isClosing) process.exit(1);
    isClosing = true;
    readiness.drain();
    const drain = drainMs > 0 ? `not ready any more, serving for ${drainMs} ms; then ` : '';
    log(`${signal}: ${drain}finishing what is under way, for at most ${graceMs} ms`);
    if (drainMs > 0) setTimeout(finish, drainMs);
    else finish();
  };
  process.on('SIGTERM', close);
  process.on('SIGINT', close);
}
