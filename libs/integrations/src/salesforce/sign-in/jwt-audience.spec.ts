import { describe, expect, it } from '@jest/globals';
import { audienceFor } from './jwt-audience.js';

const [PRODUCTION, SANDBOX] = ['https://login.salesforce.com', 'https://test.salesforce.com'];

describe('the audience of an assertion', () => {
  it.each([
    [PRODUCTION, PRODUCTION],
    [SANDBOX, SANDBOX],
    ['https://acme.my.salesforce.com', PRODUCTION],
    ['https://acme-dev-ed.develop.my.salesforce.com', PRODUCTION],
    ['https://acme--uat.sandbox.my.salesforce.com', SANDBOX],
    ['https://acme-1.scratch.my.salesforce.com', SANDBOX],
    ['https://sandbox.my.salesforce.com', PRODUCTION],
    ['http://127.0.0.1:4000', 'http://127.0.0.1:4000'],
    ['https://my.salesforce.com.evil.example', 'https://my.salesforce.com.evil.example'],
  ])('for a token of %s is %s', (loginUrl, audience) => {
    expect(audienceFor(loginUrl)).toBe(audience);
  });
});
