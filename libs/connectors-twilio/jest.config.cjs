module.exports = {
  displayName: 'connectors-twilio',
  preset: '../../jest.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
