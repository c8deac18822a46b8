module.exports = {
  displayName: 'emulators integration',
  preset: '../../jest.int.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
