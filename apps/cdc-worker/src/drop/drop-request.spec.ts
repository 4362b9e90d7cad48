import { entry, namespace, record, tag, wholeTable } from '@bff/infra/cache/dependencies';
import { describe, expect, it } from '@jest/globals';
import { dropRequest } from './drop-request.js';

describe('[N8] what npm run drop is asked for', () => {
  it.each([
    ['orders:account:1', entry('orders:account:1')],
    ['record Stock/a/b', record('Stock', 'a/b')],
    ['record Order/8015g0000000006', record('Order', '8015g0000000006AAA')],
    ['table Order', wholeTable('Order')],
    ['domain orders', namespace('orders')],
    ['tag prices', tag('prices')],
  ])('%s is one dependency', (line, dependency) => {
    expect(dropRequest(line.split(' ')).dependency).toBe(dependency);
  });

  it('says which domain or table it names, for a name that nobody has', () => {
    const named = ['orders:1', 'record Stock/a/b', 'table Order', 'domain orders', 'tag a/b'].map((line) => {
      const { domain, table } = dropRequest(line.split(' '));
      return [domain, table];
    });
    expect(named).toEqual([
      [undefined, undefined],
      [undefined, 'Stock'],
      [undefined, 'Order'],
      ['orders', undefined],
      [undefined, undefined],
    ]);
  });

  it.each(['', 'tag', 'record Order', 'tags prices', '--all', 'tag spring 2026'])('%j is refused', (line) => {
    expect(() => dropRequest(line.split(' '))).toThrow(/^(Say what|This is not known|A record is)/);
  });
});
