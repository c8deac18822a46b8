module.exports = {
  displayName: 'connectors-twilio integration',
  preset: '../../jest.int.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
