import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Org } from '../org/org.js';
import { leftOutWarning, loadTreeFolder } from './tree-loader.js';

describe('loading sObject tree files', () => {
  let folder: string;
  let org: Org;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tree-'));
    org = new Org();
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const file = (name: string, content: unknown): void =>
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  const record = (type: string, referenceId: string, fields: object = {}) => ({
    attributes: { type, referenceId },
    ...fields,
  });
  const records = (...list: object[]) => ({ records: list });

  it('resolves references over files in any order', () => {
    file('a.json', records(record('Account', 'Child', { Name: 'child', ParentId: '@Parent' })));
    file('b.json', records(record('Account', 'Parent', { Name: 'parent' })));
    expect(loadTreeFolder(org, folder)).toEqual({ counts: { Account: 2 }, leftOut: [] });
    const [parent] = org.records('Account', { Name: 'parent' });
    expect(org.records('Account', { Name: 'child' })[0]?.['ParentId']).toBe(parent?.Id);
  });

  it('takes exactly the files that a plan names', () => {
    file('accounts.json', records(record('Account', 'A', { Name: 'planned' })));
    file('others.json', records(record('Account', 'B', { Name: 'not planned' })));
    file('sample-plan.json', [{ sobject: 'Account', saveRefs: true, files: ['accounts.json'] }]);
    expect(loadTreeFolder(org, folder).counts).toEqual({ Account: 1 });
  });

  it('gives unknown fields the type of their first value', () => {
    const fields = {
      Name: 'n',
      N__c: 1.5,
      B__c: true,
      D__c: '2026-01-02',
      T__c: '2026-01-02T03:04:05.000+0000',
      S__c: 'x',
    };
    file('a.json', records(record('Thing__c', 'T', fields)));
    loadTreeFolder(org, folder);
    const thing = org.schema.object('Thing__c');
    expect(Object.keys(fields).map((name) => thing?.field(name)?.type)).toEqual([
      'string',
      'double',
      'boolean',
      'date',
      'datetime',
      'string',
    ]);
    expect(org.records('Thing__c')[0]?.['T__c']).toBe('2026-01-02T03:04:05.000Z');
  });

  it('leaves out what refers to a record that is not there, with all that hangs on it, and says so', () => {
    file(
      'a.json',
      records(
        record('Account', 'A', { Name: 'a', ParentId: '@Nowhere' }),
        record('Account', 'B', { Name: 'b', ParentId: '@A' }),
      ),
    );
    file('c.json', records(record('Account', 'C', { Name: 'c' })));
    const report = loadTreeFolder(org, folder);
    expect(report.counts).toEqual({ Account: 1 });
    expect(report.leftOut).toEqual([
      { file: 'a.json', referenceId: 'A', type: 'Account', missing: 'Nowhere' },
      { file: 'a.json', referenceId: 'B', type: 'Account', missing: 'A' },
    ]);
    expect(leftOutWarning(report)).toContain('left out 2 record(s), e.g. Account A of a.json');
  });

  it.each([
    ['broken JSON', { 'a.json': '{' }, 'a.json: it cannot be read as JSON'],
    ['no records', { 'a.json': { rows: [] } }, 'a.json: it has no list "records"'],
    ['no attributes', { 'a.json': { records: [{ Name: 'x' }] } }, 'a.json, record 1: it has no attributes.type'],
    ['an empty folder', {}, 'there is no .json file in this folder'],
  ])('refuses %s and names the place', (_what, files, message) => {
    for (const [name, content] of Object.entries(files)) file(name, content);
    expect(() => loadTreeFolder(org, folder)).toThrow(message);
  });

  it('refuses a wrong record, a double name and a circle, and loads nothing then', () => {
    file(
      'a.json',
      records(
        record('Account', 'A', { Name: 'fine' }),
        record('Account', 'B', { NumberOfEmployees: 'many', Name: 'x' }),
      ),
    );
    expect(() => loadTreeFolder(org, folder)).toThrow('a.json, B: JSON_PARSER_ERROR');
    file('a.json', records(record('Account', 'A', { Name: '1' }), record('Account', 'A', { Name: '2' })));
    expect(() => loadTreeFolder(org, folder)).toThrow('this referenceId is given twice');
    const circle = [
      record('Account', 'A', { Name: '1', ParentId: '@B' }),
      record('Account', 'B', { Name: '2', ParentId: '@A' }),
    ];
    file('a.json', records(...circle));
    expect(() => loadTreeFolder(org, folder)).toThrow('refers back to it');
    expect(org.records('Account')).toEqual([]);
  });
});
