import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileStore } from './file-store.js';
import { describeStateStore } from '../testing.js';

describeStateStore('file store', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'state-store-'));
  const path = join(folder, 'made', 'state.json');
  const store = createFileStore({ path });
  const stores = [store];
  return {
    store,
    patienceMs: 5000,
    reopen: async () => {
      await store.close(5000);
      const again = createFileStore({ path });
      stores.push(again);
      return again;
    },
    dispose: async () => {
      await Promise.all(stores.map((store) => store.close(5000)));
      await rm(folder, { recursive: true });
    },
  };
});
