module.exports = {
  displayName: 'message-bus',
  preset: '../../jest.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
