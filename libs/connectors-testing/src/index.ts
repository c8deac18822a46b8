export * from './builders.js';
export * from './contract/describe-contract.js';
export * from './contract/harness.js';
export * from './memory-cursors.js';
export * from './recording-host.js';
export * from './recording-logger.js';
export * from './wait-for.js';
