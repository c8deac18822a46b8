module.exports = {
  displayName: 'bot integration',
  preset: '../../jest.int.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
