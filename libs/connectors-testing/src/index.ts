export * from './builders.js';
export * from './contract/describe-contract.js';
export * from './contract/harness.js';
export * from '@bitbrat/connectors-core/testing';
export * from './memory-cursors.js';
export * from './recording-host.js';
export * from './recording-logger.js';
export * from './wait-for.js';
