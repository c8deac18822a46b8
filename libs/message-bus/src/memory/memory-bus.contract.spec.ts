import { createMemoryBus } from './memory-bus.js';
import { describeMessageBus } from '../testing.js';

describeMessageBus('memory bus', () => {
  const bus = createMemoryBus({ redelivery: { baseMs: 1, maxMs: 5 } });
  return Promise.resolve({
    bus,
    patienceMs: 5000,
    redeliversInOrder: true,
    dispose: () => bus.close(1000),
  });
});
