import { keepAliveClock } from '@bitbrat/foundation';
import { CallGate } from '../call-gate.js';
import { applyChange, assertChange, type StateChange } from '../state-change.js';
import { assertKey } from '../state-limits.js';
import { type StateStore } from '../state-store.js';

/** A store that forgets all when the process ends: for tests, and where nothing needs to be remembered. */
export function createMemoryStore(): StateStore {
  const entries = new Map<string, string>();
  const gate = new CallGate(keepAliveClock);
  const change = (write: StateChange): Promise<boolean> =>
    gate.run(() =>
      Promise.resolve().then(() => {
        assertChange(write);
        return applyChange(entries, write).accepted;
      }),
    );
  return {
    get: (key) =>
      gate.run(() =>
        Promise.resolve().then(() => {
          assertKey(key);
          return entries.get(key);
        }),
      ),
    set: async (key, value) => {
      await change({ kind: 'set', key, value });
    },
    delete: async (key) => {
      await change({ kind: 'delete', key });
    },
    compareAndSet: (key, expected, value) => change({ kind: 'compareAndSet', key, expected, value }),
    checkHealth: () => gate.run(() => Promise.resolve()),
    close: (timeoutMs) => gate.close(timeoutMs),
  };
}
