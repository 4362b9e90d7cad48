import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/**
 * The two characters after the key prefix name the instance, the third is reserved (ids of real orgs look like
 * `8015g00000…`).
 */
const INSTANCE = '5g0';

/** Gives out ids in Salesforce's form, the same at every start: it has a counter for each key prefix. */
export class RecordIds {
  private readonly counters = new Map<string, number>();

  next(keyPrefix: string): string {
    const count = (this.counters.get(keyPrefix) ?? 0) + 1;
    this.counters.set(keyPrefix, count);
    return recordId(keyPrefix, count);
  }
}

/** The 18-character id of the n-th record with this key prefix. */
export function recordId(keyPrefix: string, n: number): string {
  let digits = '';
  for (let rest = n; rest > 0; rest = Math.floor(rest / 62)) digits = BASE62.charAt(rest % 62) + digits;
  return toSalesforceId(keyPrefix + INSTANCE + digits.padStart(9, '0'));
}
