module.exports = {
  displayName: 'ingress-egress integration',
  preset: '../../jest.int.preset.cjs',
  coverageDirectory: 'test-output/coverage',
};
