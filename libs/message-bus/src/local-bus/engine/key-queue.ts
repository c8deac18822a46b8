import { type Consumer, type Entry } from './entry.js';

/**
 * The messages of one ordering key, in the order of publishing.
 *
 * All that are outstanding are with one consumer. Delivering one again means delivering all later ones again.
 */
export class KeyQueue {
  /** Who has messages of this key; the next ones go to it, too. */
  owner: Consumer | undefined;
  /** Whether it has a place in a line of keys that have something to deliver. */
  isLined = false;
  /** Whether it waits for a back-off to end. */
  isBlocked = false;
  /** Sorted by sequence. Places before `head` are done with. */
  private entries: Entry[] = [];
  private head = 0;
  private next = 0;
  private outstanding = 0;

  get isEmpty(): boolean {
    return this.head === this.entries.length;
  }

  /** The next message to deliver; undefined where there is none or it must wait. */
  peek(): Entry | undefined {
    return this.isBlocked ? undefined : this.entries[this.next];
  }

  push(entry: Entry): void {
    this.entries.push(entry);
  }

  /** The message that `peek` returned is with the consumer now. */
  taken(consumer: Consumer): void {
    this.next += 1;
    this.outstanding += 1;
    this.owner = consumer;
  }

  /**
   * A message that was outstanding has been acknowledged: its state is `acked`.
   * @returns the messages that are done with, because every earlier one is, too
   */
  acked(): Entry[] {
    this.settle(1);
    return this.collect();
  }

  /** A message must be delivered again. @returns it and all later ones that were handed out, oldest first */
  rewind(entry: Entry): Entry[] {
    const start = this.indexOf(entry);
    const again = this.entries.slice(start, this.next);
    this.settle(again.filter(({ state }) => state === 'leased').length);
    this.next = start;
    return again;
  }

  /** Takes a message out that is dropped. @returns the messages that are done with then */
  remove(entry: Entry): Entry[] {
    const index = this.indexOf(entry);
    this.entries.splice(index, 1);
    if (index < this.next) this.next -= 1;
    if (entry.state === 'leased') this.settle(1);
    return this.collect();
  }

  private collect(): Entry[] {
    const done: Entry[] = [];
    for (let first = this.entries[this.head]; this.head < this.next; first = this.entries[this.head]) {
      if (first?.state !== 'acked') break;
      done.push(first);
      this.head += 1;
    }
    // Moved seldom, so that a long queue costs no more per message than a short one.
    if (this.head === this.entries.length || (this.head > 1024 && this.head * 2 > this.entries.length)) {
      this.entries = this.entries.slice(this.head);
      this.next -= this.head;
      this.head = 0;
    }
    return done;
  }

  private settle(count: number): void {
    this.outstanding -= count;
    if (this.outstanding === 0) this.owner = undefined;
  }

  private indexOf({ message }: Entry): number {
    let low = this.head;
    let high = this.entries.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.entries[middle]?.message.sequence ?? Infinity) < message.sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
