// google-auth-library must not look for a metadata server from a test.
process.env.METADATA_SERVER_DETECTION ??= 'none';
const { join } = require('node:path');
const nxPreset = require('@nx/jest/preset').default;

/** What every suite shares. `*.int.spec.ts` (real servers) run through jest.int.config.cjs only. */
module.exports = {
  ...nxPreset,
  testEnvironment: 'node',
  testMatch: ['<rootDir>/src/**/*.spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', '\\.int\\.spec\\.ts$'],
  testEnvironmentOptions: { customExportConditions: ['@bitbrat/source', 'node', 'require', 'default'] },
  transform: {
    '^.+\\.[cm]?[tj]s$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: { target: 'es2022', parser: { syntax: 'typescript', dynamicImport: true } },
        sourceMaps: 'inline',
      },
    ],
  },
  coverageReporters: ['text-summary', 'lcov'],
  reporters: ['default', join(__dirname, 'tools/jest-summary-reporter.cjs')],
};
