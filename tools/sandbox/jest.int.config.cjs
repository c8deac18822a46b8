module.exports = {
  displayName: 'sandbox integration',
  preset: '../../jest.int.preset.cjs',
  coverageDirectory: 'test-output/coverage',
  testEnvironmentOptions: {
    customExportConditions: ['@bitbrat/source', 'node', 'require', 'default'],
    // The Conversations SDK keeps timers for up to a second after shutdown(); they still need their globals.
    globalsCleanup: 'off',
  },
};
