module.exports = {
  displayName: 'connectors-discord integration',
  preset: '../../jest.int.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
