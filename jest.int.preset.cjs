const unit = require('./jest.preset.cjs');

/** Suites against a real server, SDK or broker: one at a time, with time for the server to start. */
module.exports = {
  ...unit,
  testMatch: ['<rootDir>/src/**/*.int.spec.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  maxWorkers: 1,
  testTimeout: 30_000,
};
