import type { Logger } from '@nestjs/common';
import type { StreamLog } from './stream.options.js';

/** Lines of a stream in the log of the application. */
export function streamLog(logger: Logger): StreamLog {
  return (level, text) => (level === 'info' ? logger.log(text) : logger[level](text));
}
