module.exports = {
  displayName: 'bot',
  preset: '../../jest.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
