import { type Backoff, backoffMs } from './backoff.js';
import { type BusClock, pause } from './clock.js';
import { Fifo } from './fifo.js';
import { type OutgoingMessage } from './message-bus.js';

/** One publish call that is under way. */
export interface PendingPublish {
  readonly message: OutgoingMessage;
  readonly bytes: number;
  succeed(id: string): void;
  fail(error: Error): void;
}

/**
 * What to do about a failed request: `retry` the same messages, or send them one by one to find those that are at fault
 * and give these back (`isolate`).
 */
export type PublishVerdict =
  { readonly action: 'retry' } | { readonly action: 'isolate'; readonly error: Error };

/** What a lane needs from its bus. */
export interface LaneContext {
  readonly clock: BusClock;
  readonly random: () => number;
  readonly backoff: Backoff;
  readonly batching: BatchingOptions;
  /** Sends one request; resolves with the ids in the order of the messages. */
  send(messages: readonly OutgoingMessage[]): Promise<readonly string[]>;
  /** Called after each failed request; may mend what is broken before it answers. */
  judge(error: unknown, failures: number): Promise<PublishVerdict>;
  /** Called when a request has succeeded after failures. */
  onRecovery(): void;
  /** Nothing waits and nothing is under way. */
  onIdle(): void;
}

/** When a request is sent: as soon as one of these is reached. */
export interface BatchingOptions {
  readonly maxMessages: number;
  readonly maxMilliseconds: number;
}

/** Most messages and bytes of one request (the service's limits are 1,000 and 10 MB, framing included). */
const REQUEST_MESSAGES = 1000;
const REQUEST_BYTES = 9 * 1024 * 1024;

/**
 * The messages of one topic and ordering key on their way to the bus.
 *
 * With one request at a time (`parallel` = 1) they arrive in the order of `add`, whatever fails in between: a failed
 * request is repeated before anything later is sent. Meanwhile messages gather and travel together in the next one.
 */
export class PublishLane {
  private readonly queue = new Fifo<PendingPublish>();
  private queuedBytes = 0;
  private requests = 0;
  private cancelTimer: (() => void) | undefined;
  private readonly stopped = new AbortController();

  /** @param parallel most requests under way at once */
  constructor(
    private readonly parallel: number,
    private readonly context: LaneContext,
  ) {}

  add(pending: PendingPublish): void {
    this.queue.push(pending);
    this.queuedBytes += pending.bytes;
    this.schedule();
  }

  private schedule(): void {
    if (this.requests >= this.parallel) return;
    const { maxMessages, maxMilliseconds } = this.context.batching;
    if (this.queue.length >= maxMessages || this.queuedBytes >= REQUEST_BYTES) {
      this.startRequest();
    } else {
      this.cancelTimer ??= this.context.clock.setTimeout(() => {
        this.startRequest();
      }, maxMilliseconds);
    }
  }

  /** Nothing is sent any more; a request under way is not repeated. Nobody is told: the caller knows. */
  stop(): void {
    this.stopped.abort();
    this.cancelTimer?.();
    this.queue.drain();
  }

  private startRequest(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    const batch = this.takeBatch();
    if (batch.length === 0) return;
    this.requests++;
    void this.deliver(batch).then(() => {
      this.requests--;
      // A moment more lets the callers that were just answered put their next message into the same request.
      if (this.queue.length > 0) this.schedule();
      else if (this.requests === 0) this.context.onIdle();
    });
  }

  private takeBatch(): PendingPublish[] {
    const batch: PendingPublish[] = [];
    let bytes = 0;
    for (let next = this.queue.peek(); next !== undefined; next = this.queue.peek()) {
      const isFull = batch.length === REQUEST_MESSAGES || bytes + next.bytes > REQUEST_BYTES;
      if (isFull && batch.length > 0) break;
      this.queue.shift();
      batch.push(next);
      bytes += next.bytes;
    }
    this.queuedBytes -= bytes;
    return batch;
  }

  /** Never rejects: each message of the batch is told. */
  private async deliver(batch: readonly PendingPublish[]): Promise<void> {
    const messages = batch.map((pending) => pending.message);
    for (let failures = 0; !this.stopped.signal.aborted;) {
      let verdict: PublishVerdict;
      try {
        const ids = await this.context.send(messages);
        if (failures > 0) this.context.onRecovery();
        batch.forEach((pending, index) => pending.succeed(ids[index] ?? ''));
        return;
      } catch (error) {
        verdict = await this.context.judge(error, ++failures);
      }
      if (verdict.action === 'isolate' && batch.length > 1) {
        for (const pending of batch) await this.deliver([pending]);
        return;
      }
      if (verdict.action !== 'retry') {
        for (const pending of batch) pending.fail(verdict.error);
        return;
      }
      const waitMs = backoffMs(this.context.backoff, failures, this.context.random);
      await pause(this.context.clock, waitMs, this.stopped.signal);
    }
  }
}
