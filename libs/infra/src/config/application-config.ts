import { defaulted } from './documented-variable.js';
import { boolean, oneOf, text } from './value-kinds.js';

/**
 * The injection token of the one configuration of a process. A class that injects it declares only the groups that it
 * reads.
 */
export const APP_CONFIG = Symbol('APP_CONFIG');

/** The name of the application, the environment of the process, and how it logs. */
export interface ApplicationConfig {
  readonly name: string;
  readonly environment: 'development' | 'test' | 'production';
  /** In production, made-up data and what is published with the product may be used. */
  readonly allowsDemo: boolean;
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
    description:
      'production writes logs as JSON lines, and refuses the settings of the demo; the others write them for people.',
  }),
  ALLOW_DEMO: defaulted(boolean, 'false', {
    group: 'app',
    description:
      'Lets a process with NODE_ENV=production use the local sandbox and the published keys, to show or test the product with made-up data.',
  }),
  LOG_LEVEL: defaulted(oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'), 'info', {
    group: 'app',
    description: 'The least important log line that is still written.',
  }),
};
