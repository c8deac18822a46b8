module.exports = {
  displayName: 'connectors-twilio integration',
  preset: '../../jest.int.preset.cjs',
  coverageDirectory: 'test-output/coverage',
  testEnvironment: '<rootDir>/jest.rejections.config.cjs',
};
