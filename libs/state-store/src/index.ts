export { createCursorStore, type StateCursorStore } from './cursor-store.js';
export { createFileStore, type FileStoreOptions } from './file/file-store.js';
export { createMemoryStore } from './memory/memory-store.js';
export { STATE_LIMITS } from './state-limits.js';
export * from './state-store.js';
export { type FirestoreStoreOptions } from './firestore/firestore-options.js';
export { createFirestoreStore } from './firestore/firestore-store.js';
