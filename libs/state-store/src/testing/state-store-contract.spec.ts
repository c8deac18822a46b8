import { createMemoryStore } from '../memory/memory-store.js';
import { StateStoreError, type StateStore } from '../state-store.js';
import { runStateStoreContractCase, stateStoreContractCases } from './state-store-contract.js';

/** A store that works but for `faults`, which get the working one. */
function broken(faults: (sound: StateStore) => Partial<StateStore>): () => StateStore {
  return () => {
    const sound = createMemoryStore();
    return { ...sound, ...faults(sound) };
  };
}

/** A store that takes one key for another. */
const changingKeys = (change: (key: string) => string): (() => StateStore) =>
  broken((sound) => ({
    get: (key) => sound.get(change(key)),
    set: (key, value) => sound.set(change(key), value),
    delete: (key) => sound.delete(change(key)),
    compareAndSet: (key, expected, value) => sound.compareAndSet(change(key), expected, value),
  }));

const changingValues = (change: (value: string) => string): (() => StateStore) =>
  broken((sound) => ({ set: (key, value) => sound.set(key, change(value)) }));

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Compares, and a turn of the event loop later sets. */
const compareThenSet = broken((sound) => ({
  compareAndSet: async (key, expected, value) => {
    if ((await sound.get(key)) !== expected) return false;
    await turn();
    await sound.set(key, value);
    return true;
  },
}));

const brokenStores: readonly [fault: string, createStore: () => StateStore, failedCase: string][] = [
  [
    'keeps values in a plain object',
    broken((sound) => {
      const inherited: Record<string, unknown> = {};
      return { get: async (key) => (await sound.get(key)) ?? (key in inherited ? key : undefined) };
    }),
    'has no value for a key that was never set',
  ],
  [
    'takes the empty value for none',
    broken((sound) => ({ get: async (key) => (await sound.get(key)) || undefined })),
    'returns what was set last',
  ],
  [
    'keeps the first value',
    broken((sound) => ({
      set: async (key, value) => {
        await sound.compareAndSet(key, undefined, value);
      },
    })),
    'returns what was set last',
  ],
  [
    'deletes nothing',
    broken(() => ({ delete: () => Promise.resolve() })),
    'forgets what was deleted, and deletes what was never there',
  ],
  [
    'fails to delete what is not there',
    broken((sound) => ({
      delete: async (key) => {
        if ((await sound.get(key)) === undefined) throw new Error('not found');
        await sound.delete(key);
      },
    })),
    'forgets what was deleted, and deletes what was never there',
  ],
  ...[
    (key: string) => key.toLowerCase(),
    (key: string) => key.normalize(),
    (key: string) => key.trim() || 'blank',
    (key: string) => key.replaceAll('//', '/'),
    (key: string) => key.replaceAll('%2F', '/'),
  ].map((change): (typeof brokenStores)[number] => [
    `takes a key for another by ${change.toString()}`,
    changingKeys(change),
    'keeps keys of any text apart, and their values to the code unit',
  ]),
  [
    'ends values at NUL',
    changingValues((value) => value.split('\u0000')[0] ?? ''),
    'keeps keys of any text apart, and their values to the code unit',
  ],
  [
    'counts characters as two bytes at least',
    broken((sound) => ({
      set: (key, value) =>
        Buffer.byteLength(key, 'utf16le') > 1000
          ? Promise.reject(new StateStoreError('INVALID_KEY', 'too long'))
          : sound.set(key, value),
    })),
    'takes keys and values up to the limits, counted in bytes',
  ],
  [
    'cuts values that are too long',
    changingValues((value) => value.slice(0, 20_000)),
    'takes keys and values up to the limits, counted in bytes',
  ],
  [
    'takes any value',
    broken((sound) => ({
      set: (key, value) => sound.set(key, value).catch(() => sound.set(key, value.slice(0, 10))),
    })),
    'refuses keys and values beyond the limits, and leaves what was there',
  ],
  [
    'takes any key',
    broken((sound) => ({ get: (key) => sound.get(key).catch(() => undefined) })),
    'refuses keys and values beyond the limits, and leaves what was there',
  ],
  [
    'drops writes while it is busy',
    broken((sound) => {
      let busy = false;
      return {
        set: async (key, value) => {
          if (busy) return;
          busy = true;
          await sound.set(key, value);
          busy = false;
        },
      };
    }),
    'stores writes of many keys that are made at once',
  ],
  [
    'lets sets overtake one another',
    broken((sound) => {
      let calls = 0;
      return {
        set: async (key, value) => {
          if (++calls % 2 === 0) await turn();
          await sound.set(key, value);
        },
      };
    }),
    'lets writes of one key take effect in the order of the calls',
  ],
  [
    'swaps what is not there only',
    broken((sound) => ({
      compareAndSet: async (key, expected, value) =>
        expected === undefined ? sound.compareAndSet(key, expected, value) : false,
    })),
    'swaps a value that is as expected',
  ],
  [
    'takes a value that is not changed for a failure',
    broken((sound) => ({
      compareAndSet: async (key, expected, value) =>
        (await sound.compareAndSet(key, expected, value)) && expected !== value,
    })),
    'swaps a value that is as expected',
  ],
  [
    'swaps whatever is there',
    broken((sound) => ({
      compareAndSet: async (key, _expected, value) => {
        await sound.set(key, value);
        return true;
      },
    })),
    'does not swap a value that is not as expected',
  ],
  [
    'takes none and the empty value for the same',
    broken((sound) => ({
      compareAndSet: async (key, expected, value) => {
        const present = await sound.get(key);
        return (present ?? '') === (expected ?? '') ? sound.compareAndSet(key, present, value) : false;
      },
    })),
    'does not swap a value that is not as expected',
  ],
  ['lets others in between', compareThenSet, 'gives a claim to one of many who reach for it at once'],
  ['lets others in between', compareThenSet, 'loses no step of a counter that many raise at once'],
  [
    'forgets deletions when it is closed',
    broken((sound) => ({ delete: () => Promise.resolve(), close: (ms) => sound.close(ms) })),
    'remembers after it was closed and opened again',
  ],
  [
    'closes without waiting',
    broken((sound) => ({
      set: async (key, value) => {
        await turn();
        await sound.set(key, value);
      },
    })),
    'ends what is under way before it is closed',
  ],
  [
    'works on after it was closed',
    broken(() => ({ close: () => Promise.resolve() })),
    'refuses work after it was closed',
  ],
  [
    'fails when it is closed again',
    broken((sound) => {
      let closed = false;
      return {
        close: (timeoutMs) => {
          if (closed) return Promise.reject(new Error('closed already'));
          closed = true;
          return sound.close(timeoutMs);
        },
      };
    }),
    'closes more than once, and unused, without harm',
  ],
  [
    'is never healthy',
    broken(() => ({ checkHealth: () => Promise.reject(new Error('down')) })),
    'is healthy while it answers',
  ],
];

describe('state store contract', () => {
  it.each(brokenStores)('fails a store that %s', async (_fault, createStore, failedCase) => {
    const contractCase = stateStoreContractCases.find(({ name }) => name === failedCase);
    if (contractCase === undefined) throw new Error(`there is no case "${failedCase}"`);
    const store = createStore();
    const run = runStateStoreContractCase(contractCase, () =>
      Promise.resolve({
        store,
        patienceMs: 100,
        reopen: () => Promise.resolve(store),
        dispose: () => store.close(0).catch(() => undefined),
      }),
    );
    await expect(run).rejects.toThrow();
  });

  it('has a broken store for each case', () => {
    const bitten = new Set(brokenStores.map(([, , failedCase]) => failedCase));
    expect(stateStoreContractCases.map(({ name }) => name).filter((name) => !bitten.has(name))).toEqual([]);
  });
});
