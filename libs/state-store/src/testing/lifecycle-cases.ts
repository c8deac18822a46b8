import assert from 'node:assert/strict';
import {
  CLOSE_MS,
  type ContractCase,
  freshKey,
  isStateError,
  within,
  type StateStoreHarness,
} from './contract-case.js';

export const lifecycleCases: readonly ContractCase[] = [
  {
    name: 'remembers after it was closed and opened again',
    async run({ store, reopen }: StateStoreHarness): Promise<void> {
      const [kept, deleted, swapped, late] = [freshKey(), freshKey(), freshKey(), freshKey()];
      await Promise.all([store.set(kept, 'kept'), store.set(deleted, 'x'), store.set(swapped, 'x')]);
      await Promise.all([store.delete(deleted), store.compareAndSet(swapped, 'x', 'y')]);
      if (reopen === undefined) return;
      const written = store.set(late, 'not waited for');
      const again = await reopen();
      await written;
      assert.equal(await again.get(kept), 'kept');
      assert.equal(await again.get(deleted), undefined);
      assert.equal(await again.get(swapped), 'y');
      assert.equal(await again.get(late), 'not waited for');
      assert.equal(await again.compareAndSet(swapped, 'y', 'z'), true);
    },
  },
  {
    name: 'ends what is under way before it is closed',
    async run({ store, patienceMs }: StateStoreHarness): Promise<void> {
      const key = freshKey();
      const calls = [
        ...Array.from({ length: 20 }, (_, index) => store.set(`${key}/${index}`, 'x')),
        store.get(key),
        store.compareAndSet(key, undefined, 'x'),
        store.delete(`${key}/0`),
      ];
      let ended = 0;
      const settled = Promise.allSettled(calls.map((call) => call.finally(() => ended++)));
      await within(store.close(CLOSE_MS), patienceMs, 'store closed');
      assert.equal(ended, calls.length, 'closed before the calls had ended');
      assert.deepEqual(
        (await settled).filter((result) => result.status === 'rejected'),
        [],
      );
    },
  },
  {
    name: 'refuses work after it was closed',
    async run({ store, patienceMs }: StateStoreHarness): Promise<void> {
      const [key, isClosed] = [freshKey(), isStateError('CLOSED')];
      await store.set(key, 'x');
      await store.close(CLOSE_MS);
      await assert.rejects(store.get(key), isClosed);
      await assert.rejects(store.set(key, 'y'), isClosed);
      await assert.rejects(store.delete(key), isClosed);
      await assert.rejects(store.compareAndSet(key, 'x', 'y'), isClosed);
      await assert.rejects(store.checkHealth(patienceMs), isClosed);
    },
  },
  {
    name: 'closes more than once, and unused, without harm',
    async run({ store, patienceMs }: StateStoreHarness): Promise<void> {
      await within(Promise.all([store.close(CLOSE_MS), store.close(CLOSE_MS)]), patienceMs, 'store closed');
      await within(store.close(CLOSE_MS), patienceMs, 'store closed again');
    },
  },
  {
    name: 'is healthy while it answers',
    async run({ store, patienceMs }: StateStoreHarness): Promise<void> {
      await within(store.checkHealth(patienceMs), patienceMs, 'answered');
      await store.set(freshKey(), 'x');
      await within(store.checkHealth(patienceMs), patienceMs, 'answered');
    },
  },
];
