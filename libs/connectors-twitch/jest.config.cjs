module.exports = {
  displayName: 'connectors-twitch',
  preset: '../../jest.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
