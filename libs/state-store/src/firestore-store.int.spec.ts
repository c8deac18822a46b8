import { createFirestoreStore } from './firestore-store.js';
import { type FirestoreStoreOptions } from './firestore-options.js';
import { type StateStore } from './state-store.js';
import {
  describeStateStore,
  describeWithEmulator,
  type FirestoreEmulator,
  startFirestoreEmulator,
} from './testing.js';

let collections = 0;

describeWithEmulator('Firestore store', process.env, () => {
  let emulator: FirestoreEmulator;

  beforeAll(async () => {
    emulator = await startFirestoreEmulator({ environment: process.env });
  }, 60_000);
  afterAll(() => emulator.stop());

  const open = (options: Partial<FirestoreStoreOptions> = {}): StateStore =>
    createFirestoreStore({
      projectId: emulator.projectId,
      emulatorHost: emulator.host,
      collection: `state-${++collections}`,
      ...options,
    });

  describeStateStore('Firestore store', () => {
    const collection = `contract-${++collections}`;
    const store = open({ collection });
    const stores = [store];
    return Promise.resolve({
      store,
      patienceMs: 10_000,
      reopen: async () => {
        await store.close(10_000);
        const again = open({ collection });
        stores.push(again);
        return again;
      },
      dispose: async () => {
        await Promise.all(stores.map((one) => one.close(10_000)));
      },
    });
  });
});
