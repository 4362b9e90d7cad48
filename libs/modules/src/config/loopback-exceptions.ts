import { optional } from '@bff/infra/config/documented-variable';
import { listOf, type ValueKind } from '@bff/infra/config/value-kinds';

/** The variables that may name this machine in production, if the operator says so. */
export const LOOPBACK_EXCEPTABLE = ['WHMCS_API_URL', 'AUTH_ISSUER', 'AUTH_JWKS_URL'] as const;

type LoopbackExceptable = (typeof LOOPBACK_EXCEPTABLE)[number];

const exceptableNames: ValueKind<readonly LoopbackExceptable[]> = {
  expected: `one or more of ${LOOPBACK_EXCEPTABLE.join(', ')}, separated by commas`,
  parse: (given) => listOf(given, (part) => LOOPBACK_EXCEPTABLE.find((name) => name === part.trim())),
};

/** The variable that excepts others from the rule that production names nothing on this machine. */
export const loopbackVariables = {
  ALLOW_LOOPBACK: optional(exceptableNames, {
    group: 'app',
    description:
      'Variables that may name this machine with NODE_ENV=production, because a proxy or service of yours beside the process answers there.',
  }),
};
