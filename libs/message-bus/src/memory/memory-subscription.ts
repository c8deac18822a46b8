import {
  backoffMs,
  type BackoffPolicy,
  type Clock,
  type Logger,
  messageOf,
  settledWithin,
} from '@bitbrat/foundation';
import { Fifo } from '../fifo.js';
import { type MessageHandler, type ReceivedMessage } from '../message-bus.js';

/** A message as the memory bus keeps it; shared by all subscriptions of its topic. */
export interface StoredMessage {
  readonly id: string;
  /** Place in the order of publishing. */
  readonly sequence: number;
  readonly topic: string;
  readonly data: Uint8Array;
  readonly attributes: Readonly<Record<string, string>>;
  readonly orderingKey: string | undefined;
  readonly publishedAt: number;
  readonly bytes: number;
}

/** What a subscription needs from its bus. */
export interface SubscriptionContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly redelivery: BackoffPolicy;
  /** A message was acknowledged: there is room for another. */
  readonly onRoom: () => void;
}

/** One delivery of a message to this subscription's readers, and those before it. */
interface Entry {
  readonly message: StoredMessage;
  attempt: number;
}

interface Reader {
  readonly handler: MessageHandler;
  readonly maxInFlight: number;
  readonly inHand: Set<Entry>;
  onIdle: (() => void) | undefined;
}

/** Entries of one ordering key that wait for the redelivery of the first of them. */
interface Blockade {
  readonly entries: Entry[];
  cancelTimer: () => void;
}

/**
 * A subscription of the memory bus: what is not acknowledged yet, and who reads it.
 *
 * A nacked message is delivered again before the later ones of its ordering key that have not been handed out.
 */
export class MemorySubscription {
  private readonly fresh = new Fifo<Entry>();
  /** Due for redelivery, oldest first; goes before `fresh`. */
  private due: Entry[] = [];
  private readonly blockades = new Map<string, Blockade>();
  private readonly timers = new Set<() => void>();
  private readers: Reader[] = [];
  private pumpHandle: NodeJS.Immediate | undefined;
  private messageCount = 0;
  private byteCount = 0;
  private idleSince: number;

  constructor(
    readonly name: string,
    readonly topic: string,
    private readonly expireAfterMs: number | undefined,
    private readonly context: SubscriptionContext,
  ) {
    this.idleSince = context.clock.now();
  }

  /** Messages that are not acknowledged. */
  get backlog(): number {
    return this.messageCount;
  }

  get hasReaders(): boolean {
    return this.readers.length > 0;
  }

  get isExpired(): boolean {
    if (this.expireAfterMs === undefined || this.hasReaders) return false;
    return this.context.clock.now() - this.idleSince >= this.expireAfterMs;
  }

  hasRoom(bytes: number, maxMessages: number, maxBytes: number): boolean {
    return this.messageCount < maxMessages && (this.messageCount === 0 || this.byteCount + bytes <= maxBytes);
  }

  add(message: StoredMessage): void {
    this.messageCount++;
    this.byteCount += message.bytes;
    this.fresh.push({ message, attempt: 0 });
    this.schedulePump();
  }

  /** Starts to read. What is returned ends it: see `BusSubscription.close`. */
  attach(handler: MessageHandler, maxInFlight: number): (timeoutMs: number) => Promise<void> {
    const reader: Reader = { handler, maxInFlight, inHand: new Set(), onIdle: undefined };
    this.readers.push(reader);
    this.schedulePump();
    let closing: Promise<void> | undefined;
    return (timeoutMs) => (closing ??= this.detach(reader, timeoutMs));
  }

  /** Forgets everything. Handlers under way end as they will; nothing follows. */
  destroy(): void {
    for (const cancel of this.timers) cancel();
    this.timers.clear();
    if (this.pumpHandle !== undefined) clearImmediate(this.pumpHandle);
    this.readers = [];
    this.due = [];
    this.fresh.drain();
    this.blockades.clear();
  }

  private async detach(reader: Reader, timeoutMs: number): Promise<void> {
    this.readers = this.readers.filter((other) => other !== reader);
    this.idleSince = this.context.clock.now();
    if (reader.inHand.size > 0) {
      const idle = new Promise<void>((resolve) => (reader.onIdle = resolve));
      await settledWithin(this.context.clock, idle, timeoutMs);
    }
    const left = [...reader.inHand];
    reader.inHand.clear();
    this.makeDue(left);
    this.idleSince = this.context.clock.now();
  }

  private schedulePump(): void {
    this.pumpHandle ??= setImmediate(() => {
      this.pumpHandle = undefined;
      this.pump();
    });
  }

  private pump(): void {
    for (;;) {
      const reader = this.readers.find((candidate) => candidate.inHand.size < candidate.maxInFlight);
      if (reader === undefined) return;
      const entry = this.next();
      if (entry === undefined) return;
      // To the end of the line, so that readers take turns.
      if (this.readers.length > 1) this.readers = [...this.readers.filter((r) => r !== reader), reader];
      void this.hand(entry, reader);
    }
  }

  private next(): Entry | undefined {
    for (;;) {
      const entry = this.due.shift() ?? this.fresh.shift();
      if (entry === undefined) return undefined;
      const blockade = this.blockades.get(entry.message.orderingKey ?? '');
      if (blockade === undefined) return entry;
      blockade.entries.push(entry);
    }
  }

  private async hand(entry: Entry, reader: Reader): Promise<void> {
    entry.attempt++;
    reader.inHand.add(entry);
    let acknowledged = false;
    try {
      acknowledged = (await reader.handler(toReceived(entry))) === 'ack';
    } catch (error) {
      this.context.logger.warn('bus.handler.failed', {
        subscription: this.name,
        messageId: entry.message.id,
        attempt: entry.attempt,
        error: messageOf(error),
      });
    }
    // Taken back while the handler ran: its answer comes too late.
    if (!reader.inHand.delete(entry)) return;
    if (acknowledged) {
      this.messageCount--;
      this.byteCount -= entry.message.bytes;
      this.context.onRoom();
    } else {
      this.redeliverLater(entry);
    }
    if (reader.inHand.size === 0) reader.onIdle?.();
    this.schedulePump();
  }

  private redeliverLater(entry: Entry): void {
    const waitMs = backoffMs(this.context.redelivery, entry.attempt, this.context.random, 'half');
    const key = entry.message.orderingKey ?? '';
    if (key === '') {
      this.startTimer(waitMs, () => {
        this.makeDue([entry]);
      });
      return;
    }
    const blockade = this.blockades.get(key) ?? { entries: [], cancelTimer: () => undefined };
    this.blockades.set(key, blockade);
    blockade.entries.push(entry);
    blockade.cancelTimer();
    blockade.cancelTimer = this.startTimer(waitMs, () => {
      this.blockades.delete(key);
      this.makeDue(blockade.entries);
    });
  }

  private makeDue(entries: readonly Entry[]): void {
    this.due = [...this.due, ...entries].sort((a, b) => a.message.sequence - b.message.sequence);
    this.schedulePump();
  }

  private startTimer(ms: number, callback: () => void): () => void {
    const stop = this.context.clock.setTimeout(() => {
      this.timers.delete(cancel);
      callback();
    }, ms);
    const cancel = (): void => {
      this.timers.delete(cancel);
      stop();
    };
    this.timers.add(cancel);
    return cancel;
  }
}

/** A copy of its own for each delivery: what one handler does to it, no other sees. */
function toReceived({ message, attempt }: Entry): ReceivedMessage {
  return {
    id: message.id,
    topic: message.topic,
    data: Buffer.from(message.data),
    attributes: { ...message.attributes },
    attempt,
    publishedAt: message.publishedAt,
    ...(message.orderingKey === undefined ? {} : { orderingKey: message.orderingKey }),
  };
}
