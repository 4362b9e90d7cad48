import { describe, expect, it } from '@jest/globals';
import { serverRefusal } from './redis-guard.js';

const info = (version: string, policy: string, role = 'master') =>
  `# Server\r\nredis_version:${version}\r\n# Memory\r\nmaxmemory_policy:${policy}\r\n# Replication\r\nrole:${role}\r\n`;

describe('a server that must not be used', () => {
  it.each(['noeviction', 'volatile-lru', 'volatile-lfu', 'volatile-ttl', 'volatile-random'])('%s is fine', (policy) => {
    expect(serverRefusal(info('7.0.15', policy))).toBeUndefined();
  });

  it.each(['allkeys-lru', 'allkeys-lfu', 'allkeys-random'])('%s may evict the index', (policy) => {
    expect(serverRefusal(info('7.2.0', policy))).toMatchObject({
      reason: expect.stringMatching(new RegExp(`${policy}.*noeviction`)),
      isPassing: false,
    });
  });

  it('an old version is named', () => {
    expect(serverRefusal(info('6.2.14', 'noeviction'))?.reason).toMatch(/6\.2\.14.*7\.0/);
  });

  it('a replica may become the primary, so it is only refused for now', () => {
    expect(serverRefusal(info('7.0.15', 'noeviction', 'slave'))).toMatchObject({ isPassing: true });
  });
});
