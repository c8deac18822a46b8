export { type Backoff } from './backoff.js';
export { type StateClock } from './clock.js';
export { createCursorStore, type StateCursorStore } from './cursor-store.js';
export { createFileStore, type FileStoreOptions } from './file-store.js';
export { type StateLogFields, type StateLogger } from './logger.js';
export { createMemoryStore } from './memory-store.js';
export { STATE_LIMITS } from './state-limits.js';
export * from './state-store.js';
