export * from './testing/manual-clock.js';
