/** A queue whose `shift` does not move what is left, as an array's does. */
export class Fifo<T> {
  private items: (T | undefined)[] = [];
  private head = 0;

  get length(): number {
    return this.items.length - this.head;
  }

  push(item: T): void {
    this.items.push(item);
  }

  peek(): T | undefined {
    return this.items[this.head];
  }

  shift(): T | undefined {
    const item = this.items[this.head];
    if (this.head < this.items.length) this.items[this.head++] = undefined;
    if (this.head === this.items.length || (this.head > 1024 && this.head * 2 > this.items.length)) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }

  /** Takes the items out that do not pass, keeping the order of the others. */
  retain(passes: (item: T) => boolean): void {
    this.items = this.drain().filter(passes);
  }

  /** All items in order; the queue is empty afterwards. */
  drain(): T[] {
    // Each place from the head on holds an item, `undefined` only where T allows it.
    const items = this.items.slice(this.head) as T[]; // the places before the head alone were cleared
    this.items = [];
    this.head = 0;
    return items;
  }
}
