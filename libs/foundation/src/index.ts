export * from './abort.js';
export * from './backoff.js';
export * from './clock.js';
export * from './keyed-queue.js';
export * from './logger.js';
export * from './thrown.js';
export * from './timers.js';
