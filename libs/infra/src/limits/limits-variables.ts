import { defaulted, type ValuesOf } from '../config/documented-variable.js';
import { wholeNumber, type ValueKind } from '../config/value-kinds.js';
import type { Policies, Policy } from './limits.js';

/** The limits of customers, and among how many processes they are divided while Redis does not answer. */
export interface LimitsConfig {
  readonly policies: Policies;
  readonly processes: number;
}

const POINTS_MAX = 1_000_000;
const WINDOW_SECONDS_MAX = 86_400;

/** `<points>/<seconds>`: neither can be zero, and no value means "unlimited". */
const policy: ValueKind<Policy> = {
  expected: `how many in how many seconds, such as 120/60: 1 to ${POINTS_MAX} in 1 to ${WINDOW_SECONDS_MAX}`,
  parse: (given) => {
    const [, points, windowSeconds] = (/^(\d{1,7})\/(\d{1,5})$/.exec(given) ?? []).map(Number);
    if (points === undefined || windowSeconds === undefined) return undefined;
    const isWithin = points >= 1 && points <= POINTS_MAX && windowSeconds >= 1 && windowSeconds <= WINDOW_SECONDS_MAX;
    return isWithin ? { points, windowSeconds } : undefined;
  },
};

/** The variables of the limits of customers. */
export const limitsVariables = {
  LIMIT_REQUESTS: defaulted(policy, '1200/60', {
    group: 'limits',
    description: 'How many requests one user may make in one process, also those that a cache answers.',
  }),
  LIMIT_FETCHES: defaulted(policy, '240/60', {
    group: 'limits',
    description: 'How many calls to Salesforce and WHMCS one account may cause by what no cache has.',
  }),
  LIMIT_WRITES: defaulted(policy, '30/60', {
    group: 'limits',
    description: 'How many requests that change something, such as orders, one account may make.',
  }),
  LIMIT_STREAMS: defaulted(policy, '120/60', {
    group: 'limits',
    description: 'How many event streams one user may open; each reconnection counts.',
  }),
  LIMIT_PROCESSES: defaulted(wholeNumber(1, 1_000), '4', {
    group: 'limits',
    description: 'How many BFFs run: while Redis does not answer, each allows its share of these limits.',
  }),
};

/** The checked variables as the limits take them. */
export function limitsConfig(env: ValuesOf<typeof limitsVariables>): LimitsConfig {
  return {
    policies: {
      request: env.LIMIT_REQUESTS,
      fetch: env.LIMIT_FETCHES,
      write: env.LIMIT_WRITES,
      stream: env.LIMIT_STREAMS,
    },
    processes: env.LIMIT_PROCESSES,
  };
}
