import assert from 'node:assert/strict';
import { STATE_LIMITS } from '../state-limits.js';
import { type ContractCase, freshKey, isStateError, type StateStoreHarness } from './contract-case.js';

/** Ends of keys that a driver's encoding might trip over. */
const awkward = [
  'ü',
  'u\u0308',
  'KEY',
  'key',
  '👩‍👩‍👧',
  '漢字',
  'a/b',
  'a//b',
  'a%2Fb',
  '../..',
  '.',
  ' ',
  'with blank',
  'line\nbreak',
  '\u0000',
  '%',
  '__proto__',
  '__name__',
  '\u2028',
];

export const valueCases: readonly ContractCase[] = [
  {
    name: 'has no value for a key that was never set',
    async run({ store }: StateStoreHarness): Promise<void> {
      assert.equal(await store.get(freshKey()), undefined);
      // Keys that objects have a value for.
      for (const key of ['constructor', '__proto__', 'toString']) {
        assert.equal(await store.get(key), undefined, key);
      }
    },
  },
  {
    name: 'returns what was set last',
    async run({ store }: StateStoreHarness): Promise<void> {
      const key = freshKey();
      for (const value of ['one', 'two', 'two', '', 'three']) {
        await store.set(key, value);
        assert.equal(await store.get(key), value);
      }
    },
  },
  {
    name: 'forgets what was deleted, and deletes what was never there',
    async run({ store }: StateStoreHarness): Promise<void> {
      const [key, other] = [freshKey(), freshKey()];
      await store.delete(key);
      await store.set(key, 'value');
      await store.set(other, 'stays');
      await store.delete(key);
      assert.equal(await store.get(key), undefined);
      assert.equal(await store.get(other), 'stays');
      await store.set(key, 'again');
      assert.equal(await store.get(key), 'again');
    },
  },
  {
    name: 'keeps keys of any text apart, and their values to the code unit',
    async run({ store }: StateStoreHarness): Promise<void> {
      const prefix = freshKey();
      const bare = ['__proto__', '__name__', '.', '..', '/', ' ', '\u0000'];
      const keys = [...bare, ...awkward.map((text) => `${prefix}/${text}`)];
      await Promise.all(keys.map((key) => store.set(key, `value of ${key} \u0000 \u2028 👍🏽`)));
      for (const key of keys) {
        assert.equal(await store.get(key), `value of ${key} \u0000 \u2028 👍🏽`, JSON.stringify(key));
      }
      await Promise.all(bare.map((key) => store.delete(key)));
    },
  },
  {
    name: 'takes keys and values up to the limits, counted in bytes',
    async run({ store }: StateStoreHarness): Promise<void> {
      const start = `${freshKey()}/`;
      const longest = start + 'é'.repeat((STATE_LIMITS.keyBytes - start.length) >> 1);
      const key = longest.padEnd(longest.length + STATE_LIMITS.keyBytes - Buffer.byteLength(longest), 'x');
      const value = '漢'.repeat(STATE_LIMITS.valueBytes / 3) + 'x';
      assert.equal(Buffer.byteLength(key), STATE_LIMITS.keyBytes);
      assert.equal(Buffer.byteLength(value), STATE_LIMITS.valueBytes);
      await store.set(key, value);
      assert.equal(await store.get(key), value);
      assert.ok(await store.compareAndSet(key, value, 'y'));
      await store.delete(key);
    },
  },
  {
    name: 'refuses keys and values beyond the limits, and leaves what was there',
    async run({ store }: StateStoreHarness): Promise<void> {
      const key = freshKey();
      await store.set(key, 'kept');
      for (const bad of ['', 'x'.repeat(1001), 'é'.repeat(501), 'half \ud83d']) {
        const isInvalid = isStateError('INVALID_KEY');
        await assert.rejects(store.get(bad), isInvalid, bad);
        await assert.rejects(store.set(bad, 'x'), isInvalid, bad);
        await assert.rejects(store.delete(bad), isInvalid, bad);
        await assert.rejects(store.compareAndSet(bad, undefined, 'x'), isInvalid, bad);
      }
      for (const bad of ['x'.repeat(65_537), '漢'.repeat(21_846), 'half \udc4d']) {
        const isInvalid = isStateError('INVALID_VALUE');
        await assert.rejects(store.set(key, bad), isInvalid, bad.slice(0, 8));
        await assert.rejects(store.compareAndSet(key, 'kept', bad), isInvalid, bad.slice(0, 8));
      }
      assert.equal(await store.get(key), 'kept');
    },
  },
];
