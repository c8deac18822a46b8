module.exports = {
  displayName: 'connectors-core integration',
  preset: '../../jest.int.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
