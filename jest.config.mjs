/** One project per test level, so that `npx jest --selectProjects unit` runs a level alone. */
const base = {
  rootDir: '.',
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^@bff/(infra|integrations|modules)/(.*)$': '<rootDir>/libs/$1/src/$2.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        sourceMaps: 'inline',
        module: { type: 'es6' },
        jsc: {
          target: 'es2022',
          keepClassNames: true,
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
      },
    ],
  },
};

const servers = { ...base, setupFilesAfterEnv: ['<rootDir>/tools/jest/server-timeout.mjs'] };

export default {
  // One more than two cores: most long tests wait for servers and processes, which need the rest of the machine.
  maxWorkers: 3,
  workerIdleMemoryLimit: '1GB', // ES modules of finished files stay in the heap; a full one stops for long collections
  testTimeout: 30_000, // has no effect inside a project
  projects: [
    {
      ...base,
      displayName: 'unit',
      testMatch: ['<rootDir>/{apps,libs,test/support,test/checks,test/examples}/**/*.spec.ts'],
    },
    { ...base, displayName: 'tooling', testMatch: ['<rootDir>/test/tooling/**/*.spec.ts'] },
    { ...servers, displayName: 'contract', testMatch: ['<rootDir>/test/contract/**/*.spec.ts'] },
    { ...servers, displayName: 'integration', testMatch: ['<rootDir>/test/integration/**/*.int-spec.ts'] },
    {
      ...servers,
      displayName: 'consistency',
      testMatch: ['<rootDir>/test/{consistency,checks/consistency}/**/*.spec.ts'],
    },
    { ...servers, displayName: 'e2e', testMatch: ['<rootDir>/test/e2e/**/*.e2e-spec.ts'] },
  ],
};
