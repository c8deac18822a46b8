import assert from 'node:assert/strict';
import { type Disposition, type MessageHandler, type ReceivedMessage } from '../message-bus.js';

/** Rejects with `what` and the state of affairs when `work` takes longer than `ms`. */
export async function within<T>(work: Promise<T>, ms: number, what: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new assert.AssertionError({ message: `not within ${ms} ms: ${what()}` }));
    }, ms);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** A handler that keeps what it gets, and lets a test wait until it has got it. */
export class Recorder {
  readonly messages: ReceivedMessage[] = [];
  private readonly watchers = new Set<() => void>();

  /** @param patienceMs how long a test waits before it fails */
  constructor(private readonly patienceMs: number) {}

  /** Records, then does as `answer` says; acknowledges when there is none. */
  handler(answer?: (message: ReceivedMessage) => Disposition | Promise<Disposition>): MessageHandler {
    return async (message) => {
      this.messages.push(message);
      this.notify();
      return answer === undefined ? 'ack' : answer(message);
    };
  }

  get texts(): string[] {
    return this.messages.map((message) => Buffer.from(message.data).toString('utf8'));
  }

  /** Lets the waiting look again after something but a message has changed. */
  notify(): void {
    for (const watcher of this.watchers) watcher();
  }

  /** Resolves as soon as `condition` holds; rejects when it does not in time. */
  async until(what: string, condition: () => boolean): Promise<void> {
    if (condition()) return;
    let watcher = (): void => undefined;
    const met = new Promise<void>((resolve) => {
      watcher = () => {
        if (condition()) resolve();
      };
    });
    this.watchers.add(watcher);
    try {
      await within(met, this.patienceMs, () => `${what}; received [${this.texts.slice(0, 40).join(', ')}]`);
    } finally {
      this.watchers.delete(watcher);
    }
  }

  /** Resolves when `text` has come. */
  async untilText(text: string): Promise<void> {
    await this.until(`"${text}" received`, () => this.texts.includes(text));
  }
}
