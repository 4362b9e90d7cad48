import { isSalesforceId, toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import type { ObjectDefinition } from '../org/object-definition.js';
import { SalesforceFault } from '../org/org.errors.js';
import type { ApiCall } from './api-call.js';

/** The 18-character form of an id in a URL or body. Throws MALFORMED_ID if it is no id, or one of another object. */
export function checkedId(object: ObjectDefinition, id: string): string {
  if (isSalesforceId(id) && id.startsWith(object.keyPrefix)) return toSalesforceId(id);
  throw new SalesforceFault(400, 'MALFORMED_ID', `${object.name} ID: id value of incorrect type: ${id}`, ['Id']);
}

/** The body as a JSON object of fields. Throws JSON_PARSER_ERROR if it is none. */
export function bodyFields(body: unknown): Record<string, unknown> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  throw new SalesforceFault(400, 'JSON_PARSER_ERROR', 'The HTTP entity body is required to be a JSON object');
}

/** Throws 405, which names the allowed methods, if the call has another method. */
export function requireMethod(call: ApiCall, ...allowed: string[]): void {
  if (allowed.includes(call.method)) return;
  const message = `HTTP Method '${call.method}' not allowed. Allowed are ${allowed.join(',')}`;
  throw new SalesforceFault(405, 'METHOD_NOT_ALLOWED', message);
}
