module.exports = {
  displayName: 'envelope',
  preset: '../../jest.preset.cjs',
  testMatch: ['<rootDir>/{src,contract}/**/*.spec.ts'],
  coverageDirectory: 'test-output/coverage',
};
