module.exports = {
  displayName: 'foundation',
  preset: '../../jest.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
