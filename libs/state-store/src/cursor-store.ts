import { type StateStore } from './state-store.js';

/** How far a connector has read, by key. Has the shape that the connectors' host asks for. */
export interface StateCursorStore {
  /** @throws StateStoreError */
  load(key: string): Promise<string | undefined>;
  /**
   * Resolves when the value is durable.
   * @throws StateStoreError
   */
  save(key: string, value: string): Promise<void>;
}

/** The part of `store` that belongs to one connector: its keys are stored as `{connector}/{key}`. */
export function createCursorStore(store: StateStore, connector: string): StateCursorStore {
  return {
    load: (key) => store.get(`${connector}/${key}`),
    save: (key, value) => store.set(`${connector}/${key}`, value),
  };
}
