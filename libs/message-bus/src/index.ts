export { type Backoff } from './backoff.js';
export { type BusClock } from './clock.js';
export { type BusLogFields, type BusLogger } from './logger.js';
export { createMemoryBus, type MemoryBusOptions } from './memory/memory-bus.js';
export * from './message-bus.js';
export { MESSAGE_LIMITS } from './message-limits.js';
export { createPubSubBus } from './pubsub/pubsub-bus.js';
export { type PubSubBusOptions } from './pubsub/pubsub-options.js';
export { type BatchingOptions } from './pubsub/publish/publish-lane.js';
