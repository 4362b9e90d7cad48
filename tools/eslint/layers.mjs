import { importVisitor } from './import-visitor.mjs';
import { isTest, pathBelow, placeOf, resolveImport } from './source-path.mjs';

const layerRanks = { infra: 0, integrations: 1, modules: 2, apps: 3 };

/** The areas of infra that each area may import, beside itself. */
const infraMayUse = {
  process: [],
  http: [],
  config: [],
  callers: ['config'],
  logging: ['callers'],
  redis: ['process', 'config'],
  notices: ['process', 'redis', 'config'],
  nonces: ['process', 'redis', 'config'],
  cache: ['process', 'redis'],
  limits: ['process', 'redis', 'callers', 'logging', 'config'],
  sources: ['process', 'redis', 'callers', 'config'],
  idempotency: ['process', 'redis', 'callers', 'logging', 'config', 'cache'],
  fleet: ['process', 'cache', 'redis'],
  health: ['process', 'fleet', 'cache', 'redis', 'logging', 'config'],
};

/** What can be packed as a library: the cache and all that it imports. It works without Nest and without configuration. */
const packed = /^libs\/infra\/src\/(cache|redis|process)\//;
/** The files of these folders that tie them to Nest and to the configuration. No other file of them may import these. */
const ties = /\.(module|module-definition)\.ts$|-variables\.ts$/;

/** Gives the contract suite to those who install the cache. */
const packsTests = 'package/testing.ts';

/** The only folders that may import a package; others use what these folders offer. */
const packageOwners = [
  {
    packages: /^ioredis($|\/)/,
    owners: ['libs/infra/src/redis/', 'libs/infra/src/cache/store/redis/'],
    fix: 'use CacheService, or REDIS_CLIENT and the type RedisClient of infra/redis',
  },
  {
    packages: /^rate-limiter-flexible$/,
    owners: ['libs/infra/src/limits/'],
    fix: 'use Limits',
  },
  {
    packages: /^(jsforce|@jsforce\/)/,
    owners: ['libs/integrations/src/salesforce/'],
    fix: 'use SalesforceClient or ChangeEventSource',
  },
  {
    packages: /^@grpc\//,
    owners: ['libs/integrations/src/salesforce/', 'apps/sandbox/src/pubsub/'], // the client, and the sandbox's server
    fix: 'use ChangeEventSource',
  },
  {
    packages: /^(fastify$|@fastify\/|@nestjs\/(platform-fastify|swagger)($|\/))/,
    owners: ['apps/'],
    fix: 'keep HTTP in a controller of the app, and give the module plain values',
  },
];

const messages = {
  direction:
    'Layers point one way, apps → modules → integrations → infra: {{from}} must not import {{to}}. Move what both need down, or pass it in.',
  app: 'An app stands alone: {{from}} must not import {{to}}. Move what both need to libs/modules.',
  sideways: 'Integrations do not know each other: {{from}} must not import {{to}}. Join them in a module.',
  infra:
    'Inside infra the order is health → fleet → cache → redis → config, with notices, nonces, limits, sources and idempotency on redis, and process, callers, logging and http below all: {{from}} must not import {{to}}. Pass the value in, or turn the dependency round.',
  packed:
    '{{from}} belongs to what is packed without Nest and configuration, so it must not import {{to}}: pass the value in. Only *.module.ts, *.module-definition.ts and *-variables.ts may tie it to both.',
  private:
    "A folder's sub-folders are private: only files in {{owner}}/ may import {{to}}. Import a file at the top of {{owner}}/, or move what you need there.",
  test: 'The product must not import its tests: {{to}}. Move the code beside what uses it.',
  package: 'Only {{owners}} may import {{name}}: {{fix}}.',
};

/**
 * Checks every import against the layers of the workspace. Tests may import anything, but only tests may import them.
 */
export const layers = {
  meta: { type: 'problem', schema: [], messages },
  create(context) {
    const root = context.cwd;
    const from = pathBelow(root, context.filename);
    if (isTest(from)) return {};
    return importVisitor((node, specifier) => {
      const file = resolveImport(root, context.filename, specifier);
      const problem = file ? problemOfFile(from, pathBelow(root, file)) : problemOfPackage(from, specifier);
      if (problem) context.report({ node, ...problem });
    });
  },
};

function problemOfPackage(from, name) {
  if (isPackedAlone(from) && name.startsWith('@nestjs/')) return { messageId: 'packed', data: { from, to: name } };
  const rule = packageOwners.find(({ packages }) => packages.test(name));
  if (!rule || rule.owners.some((owner) => from.startsWith(owner))) return undefined;
  return { messageId: 'package', data: { name, owners: rule.owners.join(' and '), fix: rule.fix } };
}

function problemOfFile(from, to) {
  if (isTest(to)) return from === packsTests ? undefined : { messageId: 'test', data: { to } };
  const source = placeOf(from);
  const target = placeOf(to);
  if (!source || !target) return undefined;
  const messageId = wrongDirection(source, target);
  if (messageId) return { messageId, data: { from, to } };
  if (isPackedAlone(from) && (ties.test(to) || target.area === 'config')) {
    return { messageId: 'packed', data: { from, to } };
  }
  const { owner } = target;
  if (owner === undefined || from.startsWith(`${owner}/`)) return undefined;
  return { messageId: 'private', data: { to, owner } };
}

function isPackedAlone(from) {
  return packed.test(from) && !ties.test(from);
}

function wrongDirection(source, target) {
  if (layerRanks[source.layer] < layerRanks[target.layer]) return 'direction';
  if (source.layer !== target.layer || source.area === target.area) return undefined;
  if (source.layer === 'apps') return 'app';
  if (source.layer === 'integrations') return 'sideways';
  if (source.layer === 'infra' && !infraMayUse[source.area]?.includes(target.area)) return 'infra';
  return undefined;
}
