import { type CursorStore } from '@bitbrat/connectors-core';

/** Cursors that live as long as the object, so a connector that is started again finds them. */
export class MemoryCursors implements CursorStore {
  readonly entries = new Map<string, string>();
  #failures: Error[] = [];

  /** The next `count` calls, of either kind, reject with `error`. */
  failNext(count = 1, error = new Error('the cursor store cannot be reached')): void {
    this.#failures.push(...Array.from({ length: count }, () => error));
  }

  readonly load = async (key: string): Promise<string | undefined> => {
    await this.#mayFail();
    return this.entries.get(key);
  };

  readonly save = async (key: string, value: string): Promise<void> => {
    await this.#mayFail();
    this.entries.set(key, value);
  };

  #mayFail(): Promise<void> {
    const error = this.#failures.shift();
    return error === undefined ? Promise.resolve() : Promise.reject(error);
  }
}
