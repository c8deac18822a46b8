module.exports = {
  displayName: 'connectors-testing',
  preset: '../../jest.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
