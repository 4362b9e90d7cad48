import { describe, expect, it } from '@jest/globals';
import { unsuitability } from './redis-guard.js';

const info = (version: string, policy: string) =>
  `# Server\r\nredis_version:${version}\r\n# Memory\r\nmaxmemory_policy:${policy}\r\n`;

describe('a server that must not be used', () => {
  it.each(['noeviction', 'volatile-lru', 'volatile-lfu', 'volatile-ttl', 'volatile-random'])('%s is fine', (policy) => {
    expect(unsuitability(info('7.0.15', policy))).toBeUndefined();
  });

  it.each(['allkeys-lru', 'allkeys-lfu', 'allkeys-random'])('%s may evict the index', (policy) => {
    expect(unsuitability(info('7.2.0', policy))).toMatch(new RegExp(`${policy}.*noeviction`));
  });

  it('an old version is named', () => {
    expect(unsuitability(info('6.2.14', 'noeviction'))).toMatch(/6\.2\.14.*7\.0/);
  });
});
