module.exports = {
  displayName: 'sandbox',
  preset: '../../jest.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
