module.exports = {
  displayName: 'connectors-discord',
  preset: '../../jest.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
