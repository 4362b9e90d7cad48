/** What `./nest` needs alone, and what TypeScript needs alone. All of them are optional. */
const NEST = ['@nestjs/common', '@nestjs/core'];
const TYPES = '@types/node';

/**
 * The `package.json` of the package. Versions come from the project's own: what the code imports is pinned to the
 * version that all tests have run with, and a peer may be any of the same major version.
 *
 * ioredis is a dependency, not a peer: the client is made here (`createRedisClient`), with connectors and deadlines that
 * hold for this version alone.
 *
 * @param project the `package.json` of the project
 * @param imported the names of the packages that the compiled code imports
 * @param entries the names of the entries, `index` first
 */
export function manifestOf(project, imported, entries, { name, version }) {
  const versions = { ...project.devDependencies, ...project.dependencies };
  const versionOf = (dependency) => {
    if (versions[dependency] === undefined)
      throw new Error(`${dependency} is imported, but package.json has no version`);
    return versions[dependency];
  };
  const majorOf = (dependency) => versionOf(dependency).split('.')[0];
  const peers = {
    ...Object.fromEntries(NEST.map((each) => [each, `^${majorOf(each)}.0.0`])),
    [TYPES]: `>=${majorOf(TYPES)}`,
  };
  const dependencies = [...imported].filter((each) => peers[each] === undefined).sort();
  return {
    name,
    version,
    description: 'A cache that never serves what was invalidated: one fetch for all, in one process or many on Redis.',
    keywords: ['cache', 'redis', 'invalidation', 'coherence', 'read-through', 'single-flight', 'nestjs'],
    license: project.license,
    ...(project.repository && { repository: project.repository }),
    type: 'module',
    sideEffects: false,
    engines: project.engines,
    exports: {
      ...Object.fromEntries(entries.map((entry) => [entry === 'index' ? '.' : `./${entry}`, filesOf(entry)])),
      './package.json': './package.json',
    },
    types: filesOf('index').types, // for tools that do not read `exports`
    files: ['dist'],
    dependencies: Object.fromEntries(dependencies.map((each) => [each, versionOf(each)])),
    peerDependencies: peers,
    peerDependenciesMeta: Object.fromEntries(Object.keys(peers).map((each) => [each, { optional: true }])),
    ...(name.startsWith('@') && { publishConfig: { access: 'public' } }),
  };
}

function filesOf(entry) {
  return { types: `./dist/${entry}.d.ts`, default: `./dist/${entry}.js` };
}
