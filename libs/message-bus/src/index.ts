export { createMemoryBus, type MemoryBusOptions } from './memory/memory-bus.js';
export * from './message-bus.js';
export { MESSAGE_LIMITS } from './message-limits.js';
export { createPubSubBus } from './pubsub/pubsub-bus.js';
export { type PubSubBusOptions } from './pubsub/pubsub-options.js';
export { type BatchingOptions } from './pubsub/publish/publish-lane.js';
