import { expect, it } from '@jest/globals';
import { SalesforceError } from '../../salesforce.errors.js';
import { endOfSignIn } from './stream-end.js';
import { StreamJournal } from './stream-journal.js';

it('a sign-in that comes too often is not logged as the events of the day being used up', () => {
  const lines: string[] = [];
  const refusal = new SalesforceError('SALESFORCE_LIMIT_EXCEEDED', 'sign-in failed: HTTP 429, too many of them');
  new StreamJournal((level, text) => lines.push(`${level} ${text}`)).lost(endOfSignIn(refusal), ['/data/ChangeEvents']);
  expect(lines).toEqual([
    'error Salesforce asks to be asked less often for change events: sign-in failed: HTTP 429, too many of them; trying again until it is live',
  ]);
});
