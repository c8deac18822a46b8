import assert from 'node:assert/strict';
import { type ContractCase, freshKey, type StateStoreHarness } from './contract-case.js';

export const writeCases: readonly ContractCase[] = [
  {
    name: 'stores writes of many keys that are made at once',
    async run({ store }: StateStoreHarness): Promise<void> {
      const prefix = freshKey();
      const keys = Array.from({ length: 100 }, (_, index) => `${prefix}/${index}`);
      await Promise.all(keys.map((key) => store.set(key, `value of ${key}`)));
      const values = await Promise.all(keys.map((key) => store.get(key)));
      assert.deepEqual(
        values,
        keys.map((key) => `value of ${key}`),
      );
    },
  },
  {
    name: 'lets writes of one key take effect in the order of the calls',
    async run({ store }: StateStoreHarness): Promise<void> {
      const key = freshKey();
      await Promise.all(Array.from({ length: 50 }, (_, index) => store.set(key, `${index}`)));
      assert.equal(await store.get(key), '49');

      const [, , swapped, , missed] = await Promise.all([
        store.set(key, 'a'),
        store.set(key, 'b'),
        store.compareAndSet(key, 'b', 'c'),
        store.set(key, 'd'),
        store.compareAndSet(key, 'c', 'e'),
        store.delete(key),
        store.set(key, 'f'),
      ]);
      assert.deepEqual([swapped, missed], [true, false]);
      assert.equal(await store.get(key), 'f');
      await Promise.all([store.set(key, 'g'), store.delete(key)]);
      assert.equal(await store.get(key), undefined);
    },
  },
  {
    name: 'swaps a value that is as expected',
    async run({ store }: StateStoreHarness): Promise<void> {
      const key = freshKey();
      assert.equal(await store.compareAndSet(key, undefined, 'first'), true);
      assert.equal(await store.get(key), 'first');
      assert.equal(await store.compareAndSet(key, 'first', ''), true);
      assert.equal(await store.compareAndSet(key, '', 'third'), true);
      assert.equal(await store.compareAndSet(key, 'third', 'third'), true);
      assert.equal(await store.get(key), 'third');
    },
  },
  {
    name: 'does not swap a value that is not as expected',
    async run({ store }: StateStoreHarness): Promise<void> {
      const key = freshKey();
      assert.equal(await store.compareAndSet(key, 'something', 'x'), false);
      assert.equal(await store.compareAndSet(key, '', 'x'), false);
      assert.equal(await store.get(key), undefined);
      await store.set(key, 'present');
      assert.equal(await store.compareAndSet(key, undefined, 'x'), false);
      assert.equal(await store.compareAndSet(key, 'presen', 'x'), false);
      assert.equal(await store.get(key), 'present');
      await store.delete(key);
      assert.equal(await store.compareAndSet(key, 'present', 'x'), false);
      assert.equal(await store.get(key), undefined);
    },
  },
  {
    name: 'gives a claim to one of many who reach for it at once',
    async run({ store }: StateStoreHarness): Promise<void> {
      const key = freshKey();
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, index) => store.compareAndSet(key, undefined, `owner ${index}`)),
      );
      const winners = claims.flatMap((won, index) => (won ? [`owner ${index}`] : []));
      assert.equal(winners.length, 1, `won by ${winners.join(', ')}`);
      assert.equal(await store.get(key), winners[0]);
    },
  },
  {
    name: 'loses no step of a counter that many raise at once',
    async run({ store }: StateStoreHarness): Promise<void> {
      const key = freshKey();
      const raise = async (): Promise<void> => {
        for (;;) {
          const present = await store.get(key);
          if (await store.compareAndSet(key, present, `${Number(present ?? 0) + 1}`)) return;
        }
      };
      await Promise.all(Array.from({ length: 10 }, raise));
      assert.equal(await store.get(key), '10');
    },
  },
];
