import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { redisCommand } from '../support/redis/redis-command.js';
import { startRedisServer, type RedisServer } from '../support/redis/redis-server.js';
import { cleanEnvironment } from './support/app-process.js';
import { compileProblems } from './support/compile-problems.js';

interface Project {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const NAME = '@example/cache';
const VERSION = '1.2.3-rc.1';
const NEST = ['@nestjs/common', '@nestjs/core', 'reflect-metadata', 'rxjs'];
const TYPES = ['@types/node'];
/** A Redis that this machine keeps waiting too long is away for the sample, which then asks its source once more. */
const ATTEMPTS_MAX = 4;

const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as Project;
const pinned = (name: string) => `${name}@${(dependencies[name] ?? devDependencies[name]) as string}`;

/** Runs a program to its end, with what it wrote on both streams. */
function run(command: string, args: readonly string[], cwd: string, env: Record<string, string> = {}) {
  return new Promise<{ code: number; output: string }>((done) => {
    const options = { cwd, env: cleanEnvironment(env), shell: command === 'npm' && process.platform === 'win32' };
    const child = execFile(command, [...args], options, (_error, stdout, stderr) =>
      done({ code: child.exitCode ?? 1, output: stdout + stderr }),
    );
  });
}

/** The tarball that `npm run pack` makes, in two applications that have nothing else of this repository. */
describe('the package', () => {
  let folder: string;
  let tarball: string;
  let redis: RedisServer;
  let page: string;
  /** Without Nest, and with it. */
  const plain = () => join(folder, 'plain');
  const nest = () => join(folder, 'nest');
  const installed = () => join(plain(), 'node_modules', NAME);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'evergreen-packed-'));
    const args = ['tools/pack/pack.mjs', `--name=${NAME}`, `--out=${folder}`];
    const packed = await run(process.execPath, args, process.cwd(), { EVERGREEN_PACKAGE_VERSION: VERSION });
    if (packed.code !== 0) throw new Error(packed.output);
    tarball = join(folder, `example-cache-${VERSION}.tgz`);
    expect(packed.output.trimEnd().split('\n').at(-1)).toBe(tarball);
    for (const [app, packages] of [
      [plain(), TYPES],
      [nest(), [...NEST, ...TYPES]],
    ] as const) {
      mkdirSync(app);
      writeFileSync(join(app, 'package.json'), '{ "private": true, "type": "module" }');
      // The cache of npm has what the repository itself needs, so that this works without the registry.
      const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
      const { code, output } = await run('npm', ['install', ...flags, tarball, ...packages.map(pinned)], app);
      if (code !== 0) throw new Error(output);
    }
    page = readFileSync(join(installed(), 'README.md'), 'utf8');
    redis = await startRedisServer();
    const [, rules = ''] = /```\nACL SETUSER shop on >password ([^`]*)```/.exec(page) ?? [];
    await redisCommand(redis.port, 'ACL', 'SETUSER', 'shop', 'on', '>password', ...rules.trim().split(/\s+/));
  }, 240_000);
  afterAll(async () => {
    await redis?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The file of this name on the package's page. */
  function listing(name: string): string {
    const [, code] = new RegExp(`\`${name}\`\n\n\`\`\`\\w+\n([^]*?)\`\`\``).exec(page) ?? [];
    if (code === undefined) throw new Error(`the page shows no ${name}`);
    return code;
  }

  /** A file with what the page says that it prints. */
  function sample(name: string): { code: string; printed: string } {
    const code = listing(name);
    const [, printed] = /^```\n\n```\n([^]*?)```/.exec(page.slice(page.indexOf(code) + code.length)) ?? [];
    if (printed === undefined) throw new Error(`the page does not say what ${name} prints`);
    return { code, printed };
  }

  /** Runs the file in an application, with the Redis of its environment under the user that the page shows. */
  async function prints(app: string, file: string, printed: string, withRedis: boolean) {
    const env = withRedis ? { REDIS_URL: redis.url.replace('//', '//shop:password@') } : undefined;
    for (let attempt = 1; ; attempt += 1) {
      await redisCommand(redis.port, 'FLUSHALL');
      const { code, output } = await run(process.execPath, [file], app, env);
      if (withRedis && code === 0 && output !== printed && attempt < ATTEMPTS_MAX) continue;
      expect({ code, output }).toEqual({ code: 0, output: printed });
      if (withRedis) expect(await redisCommand(redis.port, 'EXISTS', '{shop.layout}')).toBe(1); // it used this Redis
      return;
    }
  }

  it('has the cache, its scripts, its types and a page, and nothing of the portal, of tests or of this checkout', () => {
    const files = readdirSync(installed(), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(installed().length + 1));
    const outside = files
      .filter((file) => !/^dist\/(index|nest|testing)\.|^dist\/(cache|redis|process|testing)\//.test(file))
      .sort();
    expect(outside).toEqual(['LICENSE', 'README.md', 'package.json']);
    const folderOf = (kind: string) => files.filter((file) => file.endsWith(kind)).length;
    expect([folderOf('.lua'), folderOf('.js') > 80, folderOf('.d.ts') > 20]).toEqual([18, true, true]);
    expect(files.filter((file) => /spec|\.ts$/.test(file) && !file.endsWith('.d.ts'))).toEqual([]);
    const leaking = files.filter((file) =>
      /@bff\/|libs\/(modules|integrations)|apps\/|@jest\//.test(readFileSync(join(installed(), file), 'utf8')),
    );
    expect(leaking).toEqual([]);
    const manifest = JSON.parse(readFileSync(join(installed(), 'package.json'), 'utf8')) as object;
    const pins = Object.fromEntries(['cockatiel', 'ioredis', 'lru-cache'].map((name) => [name, dependencies[name]]));
    const version = (name: string) => `^${(dependencies[name] as string).split('.')[0]}.0.0`;
    expect(manifest).toMatchObject({
      name: NAME,
      version: VERSION,
      license: 'MIT',
      sideEffects: false,
      dependencies: pins,
      peerDependencies: { '@nestjs/common': version('@nestjs/common'), '@nestjs/core': version('@nestjs/core') },
      peerDependenciesMeta: { '@nestjs/common': { optional: true }, '@nestjs/core': { optional: true } },
    });
    expect(manifest).not.toHaveProperty('scripts');
  });

  it('is a cache in the process for a script of 20 lines, without Nest', async () => {
    const { code, printed } = sample('embedded.mjs');
    expect(linesOf(code)).toBeLessThanOrEqual(20);
    writeFileSync(join(plain(), 'embedded.mjs'), code);
    expect(readdirSync(join(plain(), 'node_modules'))).not.toContain('@nestjs');
    await prints(plain(), 'embedded.mjs', printed, false);
  }, 60_000);

  it('is a cache on Redis for a script of 20 lines, with the user of Redis that the page shows', async () => {
    const { code, printed } = sample('redis.mjs');
    expect(linesOf(code)).toBeLessThanOrEqual(20);
    writeFileSync(join(plain(), 'redis.mjs'), code);
    await prints(plain(), 'redis.mjs', printed, true);
  }, 60_000);

  it('lets a test set the clock, and runs the contract of the stores on a Redis of its user', async () => {
    for (const name of ['prices.test.mjs', 'contract.test.mjs']) writeFileSync(join(plain(), name), listing(name));
    const { code, output } = await run(process.execPath, ['--test', '--test-reporter=tap'], plain(), {
      REDIS_URL: redis.url,
    });
    const [, passed] = /^# pass (\d+)$/m.exec(output) ?? [];
    expect({ code, failed: /^# fail (\d+)$/m.exec(output)?.[1] }).toEqual({ code: 0, failed: '0' });
    expect(Number(passed)).toBeGreaterThan(150);
  }, 120_000);

  it('can be required by CommonJS, and says what is missing where ./nest is imported without Nest', async () => {
    const print = `console.log(typeof require('${NAME}').createCache, typeof require('${NAME}/package.json').version)`;
    writeFileSync(join(plain(), 'common.cjs'), `${print}\nimport('${NAME}/nest').catch((e) => console.log(e.message))`);
    const { code, output } = await run(process.execPath, ['--no-warnings', 'common.cjs'], plain());
    expect({ code, output }).toEqual({
      code: 0,
      output: expect.stringMatching(/^function string\nCannot find package '@nestjs\/common' imported from .*\n$/),
    });
  }, 60_000);

  it('gives away what its entries name, and no file by its path', async () => {
    const inside = `import('${NAME}/dist/cache/cache.service.js').catch(({ code }) => console.log(code))`;
    const { output } = await run(process.execPath, ['--input-type=module', '-e', inside], plain());
    expect(output).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED\n');
  }, 60_000);

  /** What the strict compiler says of these files and of every type of the package. */
  function problems(app: string, moduleResolution: 'nodenext' | 'bundler', files: readonly string[]): string {
    const compilerOptions = {
      target: 'es2023',
      module: moduleResolution === 'bundler' ? 'esnext' : 'nodenext',
      moduleResolution,
      strict: true,
      exactOptionalPropertyTypes: true,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      skipLibCheck: false,
      types: ['node'],
    };
    writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    const types = readdirSync(join(app, 'node_modules', NAME, 'dist'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.d.ts') && !/^nest\.|\.module(-definition)?\./.test(file))
      .map((file) => `node_modules/${NAME}/dist/${file}`);
    expect(types.length).toBeGreaterThan(20);
    return compileProblems(app, [...files, ...types]);
  }

  it('has types for moduleResolution bundler, strict, without Nest', () => {
    writeFileSync(
      join(plain(), 'types.ts'),
      `import { createCache, DomainCache, record, ttl, type CacheError, type MaybeStale } from '${NAME}';
       class Orders extends DomainCache {
         constructor() { super('orders', createCache({ redisUrl: process.env['REDIS_URL'] })); }
         readonly byId = this.bucket<{ total: number } | null, [id: string]>('id', {
           strategy: ttl(60),
           loadMany: async (many, { of }) => many.map((parts) => (of(parts).dependsOn(record('O', parts[0])), null)),
         });
       }
       const one: MaybeStale<{ total: number } | null> = await new Orders().byId.getAllowingStale(['1']);
       // @ts-expect-error a part is missing
       await new Orders().byId.get([]);
       // @ts-expect-error a plain text is no dependency
       await createCache().invalidate('k:orders');
       export const code: CacheError['code'] = 'CACHE_CLOSED';
       export const total: number | undefined = one.value?.total;`,
    );
    expect(problems(plain(), 'bundler', ['types.ts'])).toBe('');
  }, 60_000);

  it('is the cache of a Nest application: types for nodenext, in the process, and on Redis', async () => {
    const { code, printed } = sample('app.ts');
    writeFileSync(join(nest(), 'app.ts'), code);
    expect(problems(nest(), 'nodenext', ['app.ts'])).toBe('');
    const compilerOptions = {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
    };
    writeFileSync(join(nest(), 'app.js'), ts.transpileModule(code, { compilerOptions }).outputText);
    await prints(nest(), 'app.js', printed, false);
    await prints(nest(), 'app.js', printed, true);
  }, 120_000);
});

/** Lines with code: empty ones and comments do not count. */
function linesOf(code: string): number {
  return code.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('//')).length;
}
