import { Logger } from '@nestjs/common';

/**
 * An error that nothing handles ends the process with exit code 1, after one line in the log. Without this, Node would
 * print the error as it is, past the place that masks.
 */
export function endOnUnhandledError(): void {
  process.on('uncaughtException', (error) => {
    new Logger('Process').fatal({ err: error }, 'this process ends, because nothing handles an error');
    process.exit(1);
  });
}
