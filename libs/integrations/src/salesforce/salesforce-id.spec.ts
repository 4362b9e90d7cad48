import { describe, expect, it } from '@jest/globals';
import { InvalidSalesforceIdError, isSalesforceId, toSalesforceId } from './salesforce-id.js';

describe('a Salesforce id', () => {
  // Pairs from public documents, including the samples of the Change Data Capture Developer Guide.
  it.each([
    ['0015f00002JUZPD', '0015f00002JUZPDAA5'],
    ['005ZM000000Q6ip', '005ZM000000Q6ipYAC'],
    ['000000000000000', '000000000000000AAA'],
  ])('%s is widened to %s', (short, long) => {
    expect(toSalesforceId(short)).toBe(long);
    expect(toSalesforceId(long)).toBe(long);
  });

  it.each([
    '',
    '0015f00002JUZP',
    '0015f00002JUZPDAA',
    '0015f00002JUZP*',
    '0015f00002JUZPDAAA',
    "0015f00002JUZ'D",
    '0015f00002juzpdAA5',
  ])('%j is none', (text) => {
    expect(isSalesforceId(text)).toBe(false);
    expect(() => toSalesforceId(text)).toThrow(InvalidSalesforceIdError);
  });
});
