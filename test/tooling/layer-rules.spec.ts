import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from '@jest/globals';

interface Finding {
  readonly ruleId: string | null;
  readonly message: string;
}

/**
 * Violations of the rules. Each is linted as the content of a real file, because the type checker knows no other place.
 */
const planted = [
  {
    name: 'infra that imports a module',
    filePath: 'libs/infra/src/redis/redis-client.ts',
    code: "import '@bff/modules/orders/orders.service';",
    rule: 'evergreen/layers',
    says: /Layers point one way.*Move what both need down, or pass it in/,
  },
  {
    name: 'an integration that imports a module, as a type only',
    filePath: 'libs/integrations/src/whmcs/whmcs.client.ts',
    code: "import type { OrdersService } from '@bff/modules/orders/orders.service';\nexport type Planted = OrdersService;",
    rule: 'evergreen/layers',
    says: /Layers point one way/,
  },
  {
    name: 'a module that imports an app',
    filePath: 'libs/modules/src/orders/orders.service.ts',
    code: "export { createApp } from '../../../../apps/bff/src/create-app.js';",
    rule: 'evergreen/layers',
    says: /Layers point one way/,
  },
  {
    name: 'an app that imports another app',
    filePath: 'apps/bff/src/main.ts',
    code: "import '../../sandbox/src/sandbox.js';",
    rule: 'evergreen/layers',
    says: /An app stands alone/,
  },
  {
    name: 'an integration that imports another integration',
    filePath: 'libs/integrations/src/whmcs/whmcs.client.ts',
    code: "import '../salesforce/soql.js';",
    rule: 'evergreen/layers',
    says: /Integrations do not know each other/,
  },
  {
    name: 'config that imports redis',
    filePath: 'libs/infra/src/config/read-environment.ts',
    code: "import '../redis/redis-client.js';",
    rule: 'evergreen/layers',
    says: /Inside infra the order is/,
  },
  {
    name: 'redis that imports the cache',
    filePath: 'libs/infra/src/redis/redis-client.ts',
    code: "import '../cache/cache.service.js';",
    rule: 'evergreen/layers',
    says: /Inside infra the order is/,
  },
  {
    name: 'a cache that imports the fleet, as a type only',
    filePath: 'libs/infra/src/cache/cache.service.ts',
    code: "import type { ProcessReports } from '../fleet/process-reports.js';\nexport type Planted = ProcessReports;",
    rule: 'evergreen/layers',
    says: /health → fleet → cache → redis → config.*turn the dependency round/,
  },
  {
    name: 'a cache that imports the configuration, in its module too',
    filePath: 'libs/infra/src/cache/cache.module.ts',
    code: "import '../config/config.errors.js';",
    rule: 'evergreen/layers',
    says: /Inside infra the order is/,
  },
  ...['health/readiness', 'notices/notice-board', 'nonces/nonces', 'http/bounded-http'].map((file) => ({
    name: `a cache that imports ${file}`,
    filePath: 'libs/infra/src/cache/cache.service.ts',
    code: `import '../${file}.js';`,
    rule: 'evergreen/layers',
    says: /Inside infra the order is/,
  })),
  {
    name: 'a cache that imports a module',
    filePath: 'libs/infra/src/cache/cache.service.ts',
    code: "import '@bff/modules/orders/orders.service';",
    rule: 'evergreen/layers',
    says: /Layers point one way/,
  },
  {
    name: 'a fleet that imports health',
    filePath: 'libs/infra/src/fleet/create-fleet.ts',
    code: "import '../health/readiness.js';",
    rule: 'evergreen/layers',
    says: /Inside infra the order is/,
  },
  {
    name: "a fleet that imports the cache's private parts",
    filePath: 'libs/infra/src/fleet/create-fleet.ts',
    code: "import '../cache/protocol/cache-store.js';",
    rule: 'evergreen/layers',
    says: /sub-folders are private: only files in libs\/infra\/src\/cache\//,
  },
  ...[
    'cache/cache.service',
    'cache/store/memory/memory-cache-store',
    'redis/redis.health',
    'process/settles-within',
  ].map((file) => ({
    name: `Nest in ${file}`,
    filePath: `libs/infra/src/${file}.ts`,
    code: "import type { Type } from '@nestjs/common';\nexport type Planted = Type;",
    rule: 'evergreen/layers',
    says: /packed without Nest and configuration, .*: pass the value in\. Only \*\.module\.ts/,
  })),
  {
    name: "Nest by way of the cache's own module",
    filePath: 'libs/infra/src/cache/domain-cache.ts',
    code: "import './cache.module.js';",
    rule: 'evergreen/layers',
    says: /packed without Nest and configuration/,
  },
  {
    name: 'Nest by way of the module of redis',
    filePath: 'libs/infra/src/cache/create-cache.ts',
    code: "import '../redis/redis.module.js';",
    rule: 'evergreen/layers',
    says: /packed without Nest and configuration/,
  },
  {
    name: 'the configuration in a client of Redis',
    filePath: 'libs/infra/src/redis/redis-client.ts',
    code: "import type { ConfigProblem } from '../config/config.errors.js';\nexport type Planted = ConfigProblem;",
    rule: 'evergreen/layers',
    says: /packed without Nest and configuration/,
  },
  {
    name: "a module that imports the cache's private parts",
    filePath: 'libs/modules/src/orders/orders.service.ts',
    code: "import '@bff/infra/cache/protocol/cache-store';",
    rule: 'evergreen/layers',
    says: /sub-folders are private: only files in libs\/infra\/src\/cache\//,
  },
  {
    name: "a module that imports another module's private parts",
    filePath: 'libs/modules/src/orders/orders.service.ts',
    code: "import '@bff/modules/catalog/parts/planted';",
    rule: 'evergreen/layers',
    says: /sub-folders are private: only files in libs\/modules\/src\/catalog\//,
  },
  {
    name: 'the product that imports a test support file',
    filePath: 'libs/infra/src/redis/redis-client.ts',
    code: "import '../../../../test/support/redis/redis-server.js';",
    rule: 'evergreen/layers',
    says: /must not import its tests/,
  },
  {
    name: 'ioredis outside of redis and the Redis store',
    filePath: 'libs/modules/src/orders/orders.service.ts',
    code: "export { Redis } from 'ioredis';",
    rule: 'evergreen/layers',
    says: /may import ioredis: use CacheService/,
  },
  {
    name: 'ioredis, imported at run time',
    filePath: 'libs/infra/src/health/readiness.ts',
    code: "export const planted = import('ioredis');",
    rule: 'evergreen/layers',
    says: /may import ioredis/,
  },
  {
    name: 'jsforce outside of integrations/salesforce',
    filePath: 'libs/modules/src/orders/orders.service.ts',
    code: "import 'jsforce';",
    rule: 'evergreen/layers',
    says: /may import jsforce: use SalesforceClient/,
  },
  {
    name: 'gRPC outside of integrations/salesforce',
    filePath: 'apps/cdc-worker/src/main.ts',
    code: "import '@grpc/grpc-js';",
    rule: 'evergreen/layers',
    says: /may import @grpc\/grpc-js/,
  },
  {
    name: 'Fastify outside of apps',
    filePath: 'libs/infra/src/health/readiness.ts',
    code: "import type { FastifyInstance } from 'fastify';\nexport type Planted = FastifyInstance;",
    rule: 'evergreen/layers',
    says: /Only apps\/ may import fastify: keep HTTP in a controller/,
  },
  {
    name: 'an import cycle of types',
    filePath: 'libs/infra/src/config/config.errors.ts',
    code: "import type { ReadVariables } from './read-environment.js';\nexport type Planted = ReadVariables;",
    rule: 'evergreen/no-import-cycle',
    says: /No import cycles, not even of types: .*config\.errors\.ts → .*read-environment\.ts → .*config\.errors\.ts/,
  },
  {
    name: 'a second reader of the environment',
    filePath: 'libs/modules/src/orders/orders.service.ts',
    code: 'export const planted = process.env.PORT;',
    rule: 'no-restricted-properties',
    says: /inject APP_CONFIG/,
  },
  {
    name: 'a second reader of the environment, by import',
    filePath: 'apps/bff/src/main.ts',
    code: "import { env } from 'node:process';\nexport const planted = env.PORT;",
    rule: 'no-restricted-imports',
    says: /inject APP_CONFIG/,
  },
  {
    name: 'export *',
    filePath: 'libs/infra/src/health/readiness.ts',
    code: "export * from '../config/config.errors.js';",
    rule: 'no-restricted-syntax',
    says: /No `export \*`/,
  },
  {
    name: 'a promise that nobody waits for',
    filePath: 'libs/infra/src/health/readiness.ts',
    code: "export function planted(): void {\n  Promise.reject(new Error('lost'));\n}",
    rule: '@typescript-eslint/no-floating-promises',
    says: /Promises must be awaited/,
  },
];

/** Code that looks like a violation and is allowed. */
const allowed = [
  {
    name: "the cache's own use of its private parts",
    filePath: 'libs/infra/src/cache/cache.service.ts',
    code: "import './protocol/cache-store.js';",
  },
  {
    name: 'Nest in the module of the cache',
    filePath: 'libs/infra/src/cache/cache.module.ts',
    code: "import '@nestjs/common';\nimport './cache.module-definition.js';",
  },
  {
    name: 'Nest and the configuration in the module of redis',
    filePath: 'libs/infra/src/redis/redis.module.ts',
    code: "import '@nestjs/common';\nimport '../config/config.errors.js';",
  },
  {
    name: "a fleet that uses the cache's face",
    filePath: 'libs/infra/src/fleet/create-fleet.ts',
    code: "import '../cache/cache.errors.js';",
  },
  {
    name: "the event port, which is a face of its own, and another module's face",
    filePath: 'libs/modules/src/orders/orders.service.ts',
    code: "import '@bff/integrations/salesforce/events/source-event';\nimport '@bff/modules/identity/identity.module';",
  },
  {
    name: 'a test that looks at the inside',
    filePath: 'libs/infra/src/redis/redis-client.spec.ts',
    code: "import 'ioredis';\nimport '../cache/protocol/cache-store.js';\nexport const planted = process.env.PATH;",
  },
  {
    name: 'the one reader of the environment',
    filePath: 'libs/infra/src/config/read-environment.ts',
    code: 'export const planted = process.env.PORT;',
  },
];

describe('the layer rules', () => {
  let findings: Finding[][];

  beforeAll(async () => {
    const lint = spawn(process.execPath, ['test/tooling/lint-planted.mjs'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const needsTypes = (rule: string) => rule.startsWith('@typescript-eslint/');
    lint.stdin.end(
      JSON.stringify([
        ...planted.map(({ filePath, code, rule }) => ({ filePath, code: `${code}\n`, needsTypes: needsTypes(rule) })),
        ...allowed.map(({ filePath, code }) => ({ filePath, code: `${code}\n` })),
      ]),
    );
    findings = JSON.parse(await text(lint.stdout)) as Finding[][];
  }, 120_000);

  it.each(planted.map((plant, index) => ({ ...plant, index })))(
    'refuse $name, and say how to put it right',
    (plant) => {
      expect(findings[plant.index]).toContainEqual({
        ruleId: plant.rule,
        message: expect.stringMatching(plant.says),
      });
    },
  );

  it.each(allowed.map((plant, index) => ({ ...plant, index: planted.length + index })))('allow $name', ({ index }) => {
    expect(findings[index]).toEqual([]);
  });
});
