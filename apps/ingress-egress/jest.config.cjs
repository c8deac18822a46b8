module.exports = {
  displayName: 'ingress-egress',
  preset: '../../jest.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
