import { defaulted } from './documented-variable.js';
import { oneOf, text } from './value-kinds.js';

/**
 * The injection token of the one configuration of a process. A class that injects it declares only the groups that it
 * reads.
 */
export const APP_CONFIG = Symbol('APP_CONFIG');

/** The name of the application, the environment of the process, and how it logs. */
export interface ApplicationConfig {
  readonly name: string;
  readonly environment: 'development' | 'test' | 'production';
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
}

/** The variables that every process has. */
export const applicationVariables = {
  APP_NAME: defaulted(text('1 to 64 of the characters A-Z a-z 0-9 . _ -', /^[A-Za-z0-9._-]{1,64}$/), 'evergreen', {
    group: 'app',
    description: 'Prefixes every key in Redis and names this product in logs.',
  }),
  NODE_ENV: defaulted(oneOf('development', 'test', 'production'), 'development', {
    group: 'app',
    description: 'production writes logs as JSON lines; the others write them for people.',
  }),
  LOG_LEVEL: defaulted(oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'), 'info', {
    group: 'app',
    description: 'The least important log line that is still written.',
  }),
};
