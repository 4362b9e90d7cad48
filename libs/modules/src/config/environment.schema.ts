import { applicationVariables } from '@bff/infra/config/application-config';
import { documentationIn, type VariableDocumentation } from '@bff/infra/config/documented-variable';
import { limitsVariables } from '@bff/infra/limits/limits-variables';
import { redisVariables } from '@bff/infra/redis/redis-variables';
import { eventVariables, salesforceVariables } from '@bff/integrations/salesforce/salesforce-variables';
import { whmcsVariables } from '@bff/integrations/whmcs/whmcs-variables';
import { z } from 'zod';
import { catalogChannelVariables } from '../catalog/catalog-channels.js';
import { orderChannelVariables } from '../orders/order-channels.js';
import { orderVariables } from '../orders/order-variables.js';
import { cacheVariables } from './cache-variables.js';
import { authVariables, httpVariables, operatorVariables, streamVariables } from './http-variables.js';
import { loopbackVariables } from './loopback-exceptions.js';
import { sandboxVariables } from './sandbox-variables.js';

/** Every environment variable that this product reads. Each is declared by its owner, and registered here. */
export const environmentSchema = z.object({
  ...applicationVariables,
  ...loopbackVariables,
  ...httpVariables,
  ...operatorVariables,
  ...streamVariables,
  ...limitsVariables,
  ...redisVariables,
  ...cacheVariables,
  ...salesforceVariables,
  ...eventVariables,
  ...orderChannelVariables,
  ...catalogChannelVariables,
  ...orderVariables,
  ...whmcsVariables,
  ...authVariables,
  ...sandboxVariables,
});

/** The values of all variables after their own checks, before the checks that involve several. */
export type Environment = z.output<typeof environmentSchema>;

/** The name of a variable that the schema knows. */
export type VariableName = keyof Environment;

/** All variable names, in the order in which they are documented. */
export const variableNames = Object.keys(environmentSchema.shape) as VariableName[];

/** The documentation of a variable in the schema. */
export function documentationOf(name: VariableName): VariableDocumentation {
  return documentationIn(environmentSchema.shape, name);
}
