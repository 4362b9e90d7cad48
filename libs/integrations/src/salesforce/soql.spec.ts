import { describe, expect, it } from '@jest/globals';
import { soql, soqlField } from './soql.js';

describe('the soql tag', () => {
  it('keeps a string a value, whatever it holds', () => {
    const input = `x' OR Name != '\\`;
    expect(soql`SELECT Id FROM Account WHERE Name = ${input}`.text).toBe(
      String.raw`SELECT Id FROM Account WHERE Name = 'x\' OR Name != \'\\'`,
    );
  });

  it('escapes line breaks in values and flattens those of the template', () => {
    const { text } = soql`
      SELECT Id
      FROM Account WHERE Name = ${'a\nb'}`;
    expect(text).toBe(String.raw`SELECT Id FROM Account WHERE Name = 'a\nb'`);
  });

  it('keeps the spaces inside a value', () => {
    expect(soql`WHERE Name = ${'a  b'}`.text).toBe("WHERE Name = 'a  b'");
  });

  it('writes numbers, booleans, null, dates and lists as SOQL does', () => {
    const at = new Date('2026-11-20T10:00:00.000Z');
    expect(soql`a = ${1.5} b = ${true} c = ${null} d > ${at} e IN ${['x', 'y']}`.text).toBe(
      "a = 1.5 b = true c = null d > 2026-11-20T10:00:00.000Z e IN ('x', 'y')",
    );
  });

  it('takes a configured field name, and nothing that is more than a name', () => {
    expect(soql`SELECT Id FROM Order WHERE ${soqlField('My_Id__c')} = ${'x'}`.text).toBe(
      "SELECT Id FROM Order WHERE My_Id__c = 'x'",
    );
    for (const name of ['', 'a b', "a' OR Id != '", '1a', 'a.b']) expect(() => soqlField(name)).toThrow(/no API name/);
  });

  it('refuses an empty list and numbers that SOQL cannot write', () => {
    expect(() => soql`Id IN ${[]}`).toThrow(/no empty list/);
    expect(() => soql`a = ${Number.NaN}`).toThrow(/no literal/);
  });
});
