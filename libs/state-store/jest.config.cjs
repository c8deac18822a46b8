module.exports = {
  displayName: 'state-store',
  preset: '../../jest.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
