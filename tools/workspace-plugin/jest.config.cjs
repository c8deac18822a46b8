module.exports = {
  displayName: 'workspace-plugin',
  preset: '../../jest.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
