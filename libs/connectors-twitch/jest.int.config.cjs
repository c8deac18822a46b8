module.exports = {
  displayName: 'connectors-twitch integration',
  preset: '../../jest.int.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
