module.exports = {
  displayName: 'ingress-egress-e2e',
  preset: '../../jest.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
