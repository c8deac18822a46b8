import { type StateStore } from '@bitbrat/state-store';
import { formatSlot, parseSlot, type Slot } from './claim-slot.js';

/** Changes a draft and returns what it found. Called again with another draft where the slot has changed meanwhile. */
type Change<T> = (draft: Slot) => T;

interface Waiting {
  readonly run: (draft: Slot) => () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Changes slots in the store by test-and-set. Changes of one slot that wait at the same time share one write; slots do not
 * wait for each other.
 */
export class ClaimSlots {
  /** What each slot held last, so that a change needs no read as long as no other process writes the slot. */
  readonly #known = new Map<string, string | undefined>();
  readonly #waiting = new Map<string, Waiting[]>();

  constructor(private readonly store: Pick<StateStore, 'get' | 'compareAndSet'>) {}

  /**
   * Resolves with the result of `change` for the value that the store holds: durable where it changed something.
   * @throws StateStoreError; the change may have been stored all the same
   */
  change<T>(slot: string, change: Change<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = (draft: Slot): (() => void) => {
        const result = change(draft);
        return () => {
          resolve(result);
        };
      };
      const waiting = this.#waiting.get(slot);
      if (waiting !== undefined) {
        waiting.push({ run, reject });
        return;
      }
      this.#waiting.set(slot, [{ run, reject }]);
      void this.#work(slot);
    });
  }

  async #work(slot: string): Promise<void> {
    for (;;) {
      // Changes that come in the same turn share the first write, too.
      await Promise.resolve();
      const batch = this.#waiting.get(slot) ?? [];
      if (batch.length === 0) break;
      this.#waiting.set(slot, []);
      try {
        for (const settle of await this.#apply(slot, batch)) settle();
      } catch (error) {
        this.#known.delete(slot);
        for (const { reject } of batch) reject(error);
      }
    }
    this.#waiting.delete(slot);
  }

  async #apply(slot: string, batch: readonly Waiting[]): Promise<(() => void)[]> {
    let isFresh = !this.#known.has(slot);
    let present = isFresh ? await this.#read(slot) : this.#known.get(slot);
    for (;;) {
      const draft = parseSlot(present);
      const before = formatSlot(draft);
      const settles = batch.map(({ run }) => run(draft));
      const next = formatSlot(draft);
      // What is remembered may be out of date: only a write or a read proves it.
      if (next === before && isFresh) return settles;
      if (next !== before && (await this.store.compareAndSet(slot, present, next))) {
        this.#known.set(slot, next);
        return settles;
      }
      present = await this.#read(slot);
      isFresh = true;
    }
  }

  async #read(slot: string): Promise<string | undefined> {
    const value = await this.store.get(slot);
    this.#known.set(slot, value);
    return value;
  }
}
