import { randomBytes } from 'node:crypto';
import { type Clock, type Logger } from '@bitbrat/foundation';
import { Fifo } from '../../fifo.js';
import { type Consumer, type Entry, type LeasedMessage, newEntry } from './entry.js';
import { type AttributeFilter, compileFilter } from './filter.js';
import { KeyQueue } from './key-queue.js';
import { durationMs, type StoredMessage, type SubscriptionResource } from './resources.js';
import { type StatusError } from './status-error.js';

/** How often the deadlines of what is handed out are checked, in milliseconds. */
const DEADLINE_SWEEP_MS = 250;

/** How often the age of what is kept is checked, in milliseconds. Pub/Sub keeps a message for ten minutes at least. */
const RETENTION_SWEEP_MS = 10_000;

/** Consumers are handed at most so many messages in one go, so that others get their turn. */
const ROUND_MESSAGES = 100;

/** Pub/Sub's own values for what a subscription leaves out (`google.pubsub.v1.Subscription`). */
export const DEFAULT_ACK_DEADLINE_SECONDS = 10;
const DEFAULT_MIN_BACKOFF_MS = 10_000;
const DEFAULT_MAX_BACKOFF_MS = 600_000;
const DEFAULT_RETENTION_MS = 7 * 86_400_000;

/** How much a subscription keeps. */
export interface RetentionLimits {
  readonly messages: number;
  readonly bytes: number;
}

export interface LocalSubscriptionContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: RetentionLimits;
  /** Publishes on the dead-letter topic. @returns false where there is no such topic */
  deadLetter(entry: Entry, subscription: SubscriptionResource): boolean;
}

/** One subscription: what is not acknowledged yet, and who has it. */
export class LocalSubscription {
  #resource: SubscriptionResource;
  readonly #filter: AttributeFilter;
  /** All that is not done with, by sequence, oldest first. */
  readonly #entries = new Map<number, Entry>();
  readonly #leased = new Set<Entry>();
  readonly #unordered = new Fifo<Entry>();
  readonly #keys = new Map<string, KeyQueue>();
  readonly #freeKeys = new Fifo<KeyQueue>();
  readonly #consumers = new Map<Consumer, Fifo<KeyQueue>>();
  readonly #timers = new Set<() => void>();
  /** Ack ids of another life of a subscription of this name mean nothing here. */
  readonly #life = randomBytes(4).toString('hex');
  #bytes = 0;
  #leases = 0;
  #dropped = 0;
  #droppedSinceReport = 0;
  #pumping: NodeJS.Immediate | undefined;
  #deadlineSweep: (() => void) | undefined;
  #retentionSweep: (() => void) | undefined;

  constructor(
    resource: SubscriptionResource,
    private readonly context: LocalSubscriptionContext,
  ) {
    this.#resource = resource;
    this.#filter = compileFilter(resource.filter ?? '');
  }

  get resource(): SubscriptionResource {
    return this.#resource;
  }

  /** Messages that are not acknowledged. */
  get backlog(): number {
    return this.#entries.size;
  }

  /** Messages that were dropped because of the limits or their age. */
  get dropped(): number {
    return this.#dropped;
  }

  get isUsed(): boolean {
    return this.#consumers.size > 0 || this.#leased.size > 0;
  }

  change(resource: SubscriptionResource): void {
    this.#resource = resource;
  }

  add(message: StoredMessage): void {
    if (this.#resource.detached === true || !this.#filter(message.attributes)) return;
    const entry = newEntry(message);
    this.#entries.set(message.sequence, entry);
    this.#bytes += message.bytes;
    const key = this.#keyOf(message);
    if (key === undefined) this.#unordered.push(entry);
    else {
      key.push(entry);
      this.#line(key);
    }
    this.#keepWithinLimits();
    this.#schedulePump();
    this.#scheduleRetentionSweep();
  }

  attach(consumer: Consumer): void {
    this.#consumers.set(consumer, new Fifo());
    this.#schedulePump();
  }

  /** What the consumer has stays with it until its deadlines pass, as with Pub/Sub. */
  detach(consumer: Consumer): void {
    const line = this.#consumers.get(consumer);
    this.#consumers.delete(consumer);
    for (const key of line?.drain() ?? []) {
      key.isLined = false;
      this.#line(key);
    }
    this.#schedulePump();
  }

  /** The consumer has room again, or wants another deadline. */
  wake(): void {
    this.#schedulePump();
  }

  /** Acknowledges; an id that means nothing is passed over, as Pub/Sub does. */
  acknowledge(ackIds: readonly string[]): void {
    for (const ackId of ackIds) {
      const found = this.#find(ackId);
      if (found === undefined) continue;
      const { entry, lease } = found;
      if (entry.lease?.number !== lease && entry.expiredLease !== lease) continue;
      this.#settle(entry);
    }
  }

  /** @param seconds until the message is delivered again unless it is acknowledged; 0: at once */
  modifyAckDeadline(ackIds: readonly string[], seconds: number): void {
    for (const ackId of ackIds) {
      const found = this.#find(ackId);
      if (found === undefined || found.entry.lease?.number !== found.lease) continue;
      if (seconds === 0) this.#deliverAgain(found.entry, false);
      else found.entry.lease.deadlineAt = this.context.clock.monotonic() + seconds * 1000;
    }
  }

  /** Forgets everything, and ends its consumers. */
  destroy(reason: StatusError): void {
    const consumers = [...this.#consumers.keys()];
    this.#consumers.clear();
    for (const consumer of consumers) consumer.ended(reason);
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    if (this.#pumping !== undefined) clearImmediate(this.#pumping);
    this.#deadlineSweep?.();
    this.#retentionSweep?.();
    this.#entries.clear();
    this.#leased.clear();
    this.#unordered.drain();
    this.#keys.clear();
    this.#freeKeys.drain();
    this.#bytes = 0;
  }

  #find(ackId: string): { entry: Entry; lease: number } | undefined {
    const [life, sequence, lease] = ackId.split('-');
    if (life !== this.#life) return undefined;
    const entry = this.#entries.get(Number(sequence));
    return entry === undefined ? undefined : { entry, lease: Number(lease) };
  }

  #keyOf({ orderingKey }: StoredMessage): KeyQueue | undefined {
    if (orderingKey === '' || this.#resource.enableMessageOrdering !== true) return undefined;
    const known = this.#keys.get(orderingKey);
    if (known !== undefined) return known;
    const made = new KeyQueue();
    this.#keys.set(orderingKey, made);
    return made;
  }

  /** Puts a key that has something to deliver into the line of its owner, or of those without one. */
  #line(key: KeyQueue): void {
    if (key.isLined || key.peek() === undefined) return;
    const line = key.owner === undefined ? this.#freeKeys : this.#consumers.get(key.owner);
    // The owner is gone: what it has must be acknowledged or come back first.
    if (line === undefined) return;
    key.isLined = true;
    line.push(key);
  }

  #schedulePump(): void {
    this.#pumping ??= setImmediate(() => {
      this.#pumping = undefined;
      this.#pump();
    });
  }

  #pump(): void {
    let delivered = true;
    while (delivered) {
      delivered = false;
      for (const [consumer, ownKeys] of this.#consumers) {
        const round = this.#round(consumer, ownKeys);
        if (round.length === 0) continue;
        delivered = true;
        consumer.deliver(round);
      }
    }
  }

  #round(consumer: Consumer, ownKeys: Fifo<KeyQueue>): LeasedMessage[] {
    const round: LeasedMessage[] = [];
    while (round.length < ROUND_MESSAGES) {
      const next = this.#next(consumer, ownKeys);
      if (next === undefined) break;
      round.push(this.#lease(next, consumer));
    }
    return round;
  }

  /** The next message for the consumer, taken from its line; undefined where it has no room or there is none. */
  #next(consumer: Consumer, ownKeys: Fifo<KeyQueue>): Entry | undefined {
    for (const line of [ownKeys, this.#freeKeys]) {
      for (let key = line.peek(); key !== undefined; key = line.peek()) {
        const entry = key.peek();
        const isElsewhere = line === ownKeys ? key.owner !== consumer : key.owner !== undefined;
        if (entry !== undefined && !isElsewhere) {
          if (!consumer.hasRoom(entry.message.bytes)) return undefined;
          line.shift();
          key.isLined = false;
          key.taken(consumer);
          this.#line(key);
          return entry;
        }
        line.shift();
        key.isLined = false;
        this.#line(key);
      }
    }
    for (let entry = this.#unordered.peek(); entry !== undefined; entry = this.#unordered.peek()) {
      if (entry.state !== 'ready') {
        this.#unordered.shift();
        continue;
      }
      if (!consumer.hasRoom(entry.message.bytes)) return undefined;
      return this.#unordered.shift();
    }
    return undefined;
  }

  #lease(entry: Entry, consumer: Consumer): LeasedMessage {
    this.#leases += 1;
    consumer.reserve(entry.message.bytes);
    entry.state = 'leased';
    entry.deliveries += 1;
    entry.expiredLease = undefined;
    entry.lease = {
      number: this.#leases,
      consumer,
      deadlineAt: this.context.clock.monotonic() + consumer.ackDeadlineMs,
    };
    this.#leased.add(entry);
    this.#scheduleDeadlineSweep();
    return {
      ackId: `${this.#life}-${entry.message.sequence}-${this.#leases}`,
      message: entry.message,
      deliveryAttempt: this.#resource.deadLetterPolicy === undefined ? 0 : entry.deliveries,
    };
  }

  #settle(entry: Entry): void {
    const key = this.#keyOf(entry.message);
    this.#release(entry);
    entry.state = 'acked';
    for (const done of key?.acked() ?? [entry]) this.#forget(done);
    if (key !== undefined) this.#tidy(entry.message.orderingKey, key);
    this.#schedulePump();
  }

  #forget(entry: Entry): void {
    entry.state = 'gone';
    if (this.#entries.delete(entry.message.sequence)) this.#bytes -= entry.message.bytes;
  }

  #tidy(name: string, key: KeyQueue): void {
    if (key.isEmpty) this.#keys.delete(name);
    else this.#line(key);
  }

  #release(entry: Entry): void {
    this.#leased.delete(entry);
    entry.lease?.consumer.released(entry.message.bytes);
    entry.lease = undefined;
  }

  /** @param isLate its deadline passed: an acknowledgement that is still on its way counts, unless order forbids it */
  #deliverAgain(entry: Entry, isLate: boolean): void {
    if (this.#passToDeadLetters(entry)) return;
    const key = this.#keyOf(entry.message);
    const again = key === undefined ? [entry] : key.rewind(entry);
    for (const one of again) {
      if (isLate && key === undefined) one.expiredLease = one.lease?.number;
      this.#release(one);
      one.state = 'waiting';
    }
    const waitMs = this.#backoffMs(entry.deliveries);
    if (key !== undefined) key.isBlocked = true;
    const resume = (): void => {
      for (const one of again) if (one.state === 'waiting') one.state = 'ready';
      if (key === undefined) {
        if (entry.state === 'ready') this.#unordered.push(entry);
      } else {
        key.isBlocked = false;
        this.#line(key);
      }
      this.#schedulePump();
    };
    if (waitMs === 0) resume();
    else this.#startTimer(waitMs, resume);
  }

  #passToDeadLetters(entry: Entry): boolean {
    const most = this.#resource.deadLetterPolicy?.maxDeliveryAttempts;
    if (this.#resource.deadLetterPolicy === undefined || entry.deliveries < (most ?? 5)) return false;
    if (!this.context.deadLetter(entry, this.#resource)) return false;
    this.#settle(entry);
    return true;
  }

  #backoffMs(deliveries: number): number {
    const policy = this.#resource.retryPolicy;
    if (policy === undefined) return 0;
    const baseMs = durationMs(policy.minimumBackoff) ?? DEFAULT_MIN_BACKOFF_MS;
    const maxMs = durationMs(policy.maximumBackoff) ?? DEFAULT_MAX_BACKOFF_MS;
    return Math.min(maxMs, baseMs * 2 ** Math.min(deliveries - 1, 30));
  }

  #startTimer(ms: number, callback: () => void): void {
    const stop = this.context.clock.setTimeout(() => {
      this.#timers.delete(cancel);
      callback();
    }, ms);
    const cancel = (): void => {
      stop();
    };
    this.#timers.add(cancel);
  }

  #scheduleDeadlineSweep(): void {
    this.#deadlineSweep ??= this.context.clock.setTimeout(() => {
      this.#deadlineSweep = undefined;
      const now = this.context.clock.monotonic();
      for (const entry of [...this.#leased]) {
        if (entry.lease !== undefined && entry.lease.deadlineAt <= now) this.#deliverAgain(entry, true);
      }
      if (this.#leased.size > 0) this.#scheduleDeadlineSweep();
    }, DEADLINE_SWEEP_MS);
  }

  #scheduleRetentionSweep(): void {
    this.#retentionSweep ??= this.context.clock.setTimeout(() => {
      this.#retentionSweep = undefined;
      this.#dropOld();
      this.#reportDropped();
      if (this.#entries.size > 0) this.#scheduleRetentionSweep();
    }, RETENTION_SWEEP_MS);
  }

  #dropOld(): void {
    const retentionMs = durationMs(this.#resource.messageRetentionDuration) ?? DEFAULT_RETENTION_MS;
    const oldest = this.context.clock.now() - retentionMs;
    for (const entry of this.#entries.values()) {
      if (entry.message.publishedAt > oldest) break;
      this.#drop(entry);
    }
  }

  #keepWithinLimits(): void {
    const { bytes, messages } = this.context.limits;
    for (const entry of this.#entries.values()) {
      if (this.#entries.size <= messages && this.#bytes <= bytes) break;
      this.#drop(entry);
    }
  }

  #drop(entry: Entry): void {
    const key = this.#keyOf(entry.message);
    const lost = entry.state === 'acked' ? 0 : 1;
    const done = key?.remove(entry) ?? [];
    this.#release(entry);
    for (const one of [entry, ...done]) this.#forget(one);
    if (key !== undefined) this.#tidy(entry.message.orderingKey, key);
    this.#dropped += lost;
    this.#droppedSinceReport += lost;
  }

  #reportDropped(): void {
    if (this.#droppedSinceReport === 0) return;
    const { bytes, messages } = this.context.limits;
    this.context.logger.warn('local-bus.dropped', {
      subscription: this.#resource.name,
      messages: this.#droppedSinceReport,
      hint: `a subscription keeps ${messages} messages and ${bytes} bytes at most: read it, or delete it`,
    });
    this.#droppedSinceReport = 0;
  }
}
