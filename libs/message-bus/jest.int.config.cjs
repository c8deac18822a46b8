module.exports = {
  displayName: 'message-bus integration',
  preset: '../../jest.int.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
