import { Fifo } from '../../fifo.js';

interface Waiting {
  readonly bytes: number;
  readonly admit: () => void;
}

/**
 * Bounds what is under way, in messages and bytes. Who finds no room waits; nobody overtakes, so the order of `enter`
 * is the order of admission.
 */
export class PublishGate {
  private readonly waiting = new Fifo<Waiting>();
  private messages = 0;
  private bytes = 0;

  /**
   * @param maxMessages most messages inside
   * @param maxBytes most bytes inside; one message alone may have more
   */
  constructor(
    private readonly maxMessages: number,
    private readonly maxBytes: number,
  ) {}

  /** Calls `admit`, at once or when there is room. What is returned withdraws a call that still waits. */
  enter(bytes: number, admit: () => void): () => boolean {
    const entry: Waiting = { bytes, admit };
    this.waiting.push(entry);
    this.admitWaiting();
    return () => {
      const before = this.waiting.length;
      this.waiting.retain((other) => other !== entry);
      const withdrawn = this.waiting.length < before;
      if (withdrawn) this.admitWaiting();
      return withdrawn;
    };
  }

  /** An admitted message is done with. */
  leave(bytes: number): void {
    this.messages--;
    this.bytes -= bytes;
    this.admitWaiting();
  }

  private admitWaiting(): void {
    for (let first = this.waiting.peek(); first !== undefined; first = this.waiting.peek()) {
      const fits = this.messages === 0 || this.bytes + first.bytes <= this.maxBytes;
      if (this.messages >= this.maxMessages || !fits) return;
      this.waiting.shift();
      this.messages++;
      this.bytes += first.bytes;
      // Within this turn: a later call that finds room must come behind.
      first.admit();
    }
  }
}
