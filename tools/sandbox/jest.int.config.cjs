module.exports = {
  displayName: 'sandbox integration',
  preset: '../../jest.int.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
