module.exports = {
  displayName: 'emulators',
  preset: '../../jest.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
