import { BatchDelivery, type DeliveryContext } from './batch-delivery.js';
import { Fifo } from '../../fifo.js';
import { type OutgoingMessage } from '../../message-bus.js';

/** One publish call that is under way. */
export interface PendingPublish {
  readonly message: OutgoingMessage;
  readonly bytes: number;
  succeed(id: string): void;
  fail(error: Error): void;
}

/** What a lane needs from its bus. */
export interface LaneContext extends DeliveryContext {
  readonly batching: BatchingOptions;
  /** Nothing waits and nothing is in flight. */
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
    const delivery = new BatchDelivery(batch, this.context, this.stopped.signal, () => this.takeBatch());
    void delivery.run().then(() => {
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
}
