module.exports = {
  displayName: 'envelope',
  preset: '../../jest.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
