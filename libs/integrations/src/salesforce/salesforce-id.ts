/** An 18-character Salesforce id: the form used in our keys, dependencies and URLs. */
export type SalesforceId = string & { readonly __salesforceId: unique symbol };

const CHECK_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';

/** The text is not a Salesforce id. */
export class InvalidSalesforceIdError extends Error {
  readonly code = 'SALESFORCE_INVALID_ID';
  constructor(
    readonly value: string,
    reason: string,
  ) {
    super(`not a Salesforce id: ${reason}`);
    this.name = 'InvalidSalesforceIdError';
  }
}

/**
 * Guarantees the 18-character form of a 15- or 18-character id; throws `InvalidSalesforceIdError` for anything else,
 * including an 18-character id with wrong check characters. Three check characters, one per group of five, encode which
 * letters of the group are upper case (Object Reference, "ID Field Type").
 */
export function toSalesforceId(value: string): SalesforceId {
  if (!/^[A-Za-z0-9]+$/.test(value)) throw new InvalidSalesforceIdError(value, 'it may hold letters and digits only');
  if (value.length !== 15 && value.length !== 18) {
    throw new InvalidSalesforceIdError(value, `it has 15 or 18 characters, not ${value.length}`);
  }
  const id = value.slice(0, 15);
  const widened = id + checkCharacters(id);
  if (value.length === 18 && widened !== value)
    throw new InvalidSalesforceIdError(value, 'its check characters do not match');
  return widened as SalesforceId;
}

/** Whether `toSalesforceId` would accept the text. */
export function isSalesforceId(value: string): boolean {
  try {
    toSalesforceId(value);
    return true;
  } catch {
    return false;
  }
}

function checkCharacters(id: string): string {
  let check = '';
  for (let group = 0; group < 3; group++) {
    let bits = 0;
    for (let i = 0; i < 5; i++) {
      const char = id.charAt(group * 5 + i);
      if (char >= 'A' && char <= 'Z') bits |= 1 << i;
    }
    check += CHECK_CHARACTERS.charAt(bits);
  }
  return check;
}
