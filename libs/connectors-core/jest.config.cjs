module.exports = {
  displayName: 'connectors-core',
  preset: '../../jest.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
