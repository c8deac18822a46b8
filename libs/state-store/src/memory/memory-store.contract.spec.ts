import { createMemoryStore } from './memory-store.js';
import { describeStateStore } from '../testing.js';

describeStateStore('memory store', () => {
  const store = createMemoryStore();
  return Promise.resolve({
    store,
    patienceMs: 5000,
    reopen: undefined,
    dispose: () => store.close(1000),
  });
});
