import { type CursorStore } from '@bitbrat/connectors-core';

/** Cursors that live as long as the process, each connector's apart from the others'. */
export class MemoryCursors {
  readonly #values = new Map<string, string>();

  of(connector: string): CursorStore {
    return {
      load: (key) => Promise.resolve(this.#values.get(`${connector}/${key}`)),
      save: (key, value) => {
        this.#values.set(`${connector}/${key}`, value);
        return Promise.resolve();
      },
    };
  }
}
