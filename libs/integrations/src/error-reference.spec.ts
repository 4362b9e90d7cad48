import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { SalesforceError, type SalesforceErrorCode } from './salesforce/salesforce.errors.js';
import { WhmcsError, type WhmcsErrorCode } from './whmcs/whmcs.errors.js';

const page = readFileSync('docs/reference/errors.md', 'utf8');

describe('the error reference', () => {
  it.each([
    ['SALESFORCE', './salesforce/salesforce.errors.ts'],
    ['WHMCS', './whmcs/whmcs.errors.ts'],
  ])('lists every code of %s, and no other, and whether it is retryable', (prefix, file) => {
    const source = readFileSync(new URL(file, import.meta.url), 'utf8');
    const codes = [...source.matchAll(new RegExp(String.raw`^ {2}\| '(${prefix}_\w+)'`, 'gm'))].map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(5);
    const listed = [...page.matchAll(new RegExp(String.raw`^\| \`(${prefix}_\w+)\` \| (yes|no) `, 'gm'))];
    expect(listed.map(([, code]) => code).sort()).toEqual(codes.sort());
    for (const [, code, retryable] of listed) {
      const error =
        prefix === 'WHMCS'
          ? new WhmcsError(code as WhmcsErrorCode, '')
          : new SalesforceError(code as SalesforceErrorCode, '');
      expect([code, error.retryable]).toEqual([code, retryable === 'yes']);
    }
  });
});
