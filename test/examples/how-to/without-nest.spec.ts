import { createCache } from '@bff/infra/cache/create-cache';
import { record } from '@bff/infra/cache/dependencies';
import { expect, it } from '@jest/globals';

it('a cache without Nest', async () => {
  const build = async (id: string) => ({ id, lines: 3 });

  const cache = createCache({ appName: 'reports' }); // no Redis named: the store in this process
  const report = await cache.getOrSet(
    'reports:42',
    async ({ dependsOn }) => {
      dependsOn(record('Report', '42'));
      return build('42');
    },
    { ttlSeconds: 600 },
  );
  await cache.invalidate(record('Report', '42'));
  await cache.close(); // builds under way have two seconds to end

  expect(report).toEqual({ id: '42', lines: 3 });
  await expect(cache.get('reports:42')).rejects.toMatchObject({ code: 'CACHE_CLOSED' });
});
