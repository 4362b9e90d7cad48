import type { Logger } from '@nestjs/common';
import type { StreamLog } from './stream.options.js';

/** Writes a stream's lines to the application's log. */
export function streamLog(logger: Logger): StreamLog {
  return (level, text) => (level === 'info' ? logger.log(text) : logger[level](text));
}
