import { describe, expect, it } from '@jest/globals';
import { SalesforceError } from '../salesforce.errors.js';
import { SignInPace } from './sign-in-pace.js';

describe('the pace of sign-ins', () => {
  it('[B4] lets a token that was rejected without end be replaced at most four times a minute', () => {
    let now = 1_000_000;
    const pace = new SignInPace(() => now);
    pace.signedIn();
    const renewedAt: number[] = [];
    const start = now;
    for (; now < start + 600_000; now += 100) {
      if (pace.msToRenewal() > 0) continue;
      pace.signedIn();
      renewedAt.push(now - start);
    }
    expect(renewedAt.slice(0, 6)).toEqual([0, 100, 1_100, 3_100, 7_100, 15_100]);
    expect(renewedAt.filter((at) => at >= 60_000)).toHaveLength(36);
  });

  it('counts the tokens that were replaced, not how often somebody asked while signing in failed', () => {
    let now = 0;
    const pace = new SignInPace(() => now);
    pace.signedIn();
    now += 500;
    for (let i = 0; i < 100; i += 1) expect(pace.msToRenewal()).toBe(0);
    pace.failed(new SalesforceError('SALESFORCE_AUTH_FAILED', 'refused'));
    now += 2_000;
    expect(pace.msToRenewal()).toBe(0);
  });

  it('replaces a token at once that has lived', () => {
    let now = 0;
    const pace = new SignInPace(() => now);
    pace.signedIn();
    for (let i = 0; i < 20; i += 1) {
      now += 60_000;
      expect(pace.msToRenewal()).toBe(0);
      pace.signedIn();
    }
  });

  it('[N9] remembers a refusal until a sign-in succeeds, and takes a missing answer for none', () => {
    const pace = new SignInPace(() => 0);
    pace.failed(new SalesforceError('SALESFORCE_UNAVAILABLE', 'away'));
    expect(pace.refusal).toBeUndefined();
    pace.failed(new SalesforceError('SALESFORCE_AUTH_FAILED', 'invalid_client_id'));
    expect(pace.refusal?.message).toBe('invalid_client_id');
    pace.signedIn();
    expect(pace.refusal).toBeUndefined();
  });

  it('[B4] repeats a sign-in that got no answer after shorter ones', () => {
    let now = 0;
    const pace = new SignInPace(() => now);
    const pauses: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      pace.failed(new SalesforceError('SALESFORCE_UNAVAILABLE', 'away'));
      const from = now;
      while (pace.pendingFailure() !== undefined) now += 100;
      pauses.push(now - from);
    }
    expect(pauses).toEqual([200, 400, 800, 1_600, 2_000]);
  });

  it('[B4] repeats a refused sign-in after pauses that grow, and forgets them after one that was not', () => {
    let now = 0;
    const pace = new SignInPace(() => now);
    const refusal = new SalesforceError('SALESFORCE_AUTH_FAILED', 'no');
    const pauses: number[] = [];
    for (let i = 0; i < 6; i += 1) {
      pace.failed(refusal);
      const from = now;
      while (pace.pendingFailure() === refusal) now += 100;
      pauses.push(now - from);
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
    pace.failed(refusal);
    pace.signedIn();
    expect(pace.pendingFailure()).toBeUndefined();
  });
});
