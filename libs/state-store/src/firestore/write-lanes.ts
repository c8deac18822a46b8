import { KeyedQueue } from '@bitbrat/foundation';

interface WaitingSet {
  value: string;
  readonly done: Promise<void>;
}

/** Lets the writes of one key go one after the other, and those of different keys side by side. */
export class WriteLanes {
  private readonly queue = new KeyedQueue();
  private readonly waitingSets = new Map<string, WaitingSet>();

  /** Does `write` when the key's earlier writes have ended. Sets that wait behind one another become one: the last. */
  set(key: string, value: string, write: (value: string) => Promise<void>): Promise<void> {
    const waiting = this.waitingSets.get(key);
    if (waiting !== undefined) {
      waiting.value = value;
      return waiting.done;
    }
    const set: WaitingSet = {
      value,
      done: this.queue.run(key, () => {
        if (this.waitingSets.get(key) === set) this.waitingSets.delete(key);
        return write(set.value);
      }),
    };
    this.waitingSets.set(key, set);
    return set.done;
  }

  /** Does `work` when the key's earlier writes have ended. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    // A set that is called after this one must not join one that goes before it.
    this.waitingSets.delete(key);
    return this.queue.run(key, work);
  }
}
