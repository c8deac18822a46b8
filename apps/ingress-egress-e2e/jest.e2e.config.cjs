module.exports = {
  displayName: 'ingress-egress-e2e',
  preset: '../../jest.int.preset.cjs',
  testMatch: ['<rootDir>/src/**/*.e2e.ts'],
  testTimeout: 150_000,
};
