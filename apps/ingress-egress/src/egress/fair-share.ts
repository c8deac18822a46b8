import { type Clock } from '@bitbrat/foundation';
import { LRUCache } from 'lru-cache';

/** Messages whose returns are counted. */
const REMEMBERED = 10_000;

/**
 * Milliseconds after which a message that was given back is waited for no longer: the bus delivers again within a minute, or has lost it (its
 * subscription was made anew).
 */
const RETURN_MS = 150_000;

/** What the share needs to know of a message. */
export interface SharedMessage {
  readonly id: string;
  readonly orderingKey?: string;
}

interface Destination {
  inHand: number;
  /** Ordered messages that were given back, oldest first; later ones must not overtake them. */
  readonly owed: Set<string>;
  /** When the first of them was last seen, or became the first, by the monotonic clock. */
  seenAt: number;
}

/**
 * Shares the messages that the bus lends among the destinations, so that one that is slow leaves room for others: none may hold more than half.
 *
 * What is beyond its share goes back to the bus. The later ones of its destination follow it until it has come again, so that order is kept; messages
 * without an ordering key have none to keep. A smaller share would send messages to and fro whenever many destinations have a backlog, and with one
 * the bus delivers all later ones of its key again.
 */
export class FairShare {
  readonly #destinations = new Map<string, Destination>();
  readonly #returns = new LRUCache<string, number>({ max: REMEMBERED });

  /** @param capacity the most messages that the bus lends at once */
  constructor(
    private readonly capacity: number,
    private readonly clock: Clock,
  ) {}

  /**
   * Takes a message in hand.
   * @returns how often it was given back before; undefined: it has to be given back now. What is taken has to be `release`d.
   */
  take(key: string, message: SharedMessage): number | undefined {
    const destination = this.#destinations.get(key) ?? { inHand: 0, owed: new Set<string>(), seenAt: 0 };
    this.#destinations.set(key, destination);
    if (!this.#isNext(destination, message) || !this.#hasRoom(destination)) {
      if (message.orderingKey !== undefined) {
        if (destination.owed.size === 0) destination.seenAt = this.clock.monotonic();
        destination.owed.add(message.id);
      }
      this.#returns.set(message.id, (this.#returns.get(message.id) ?? 0) + 1);
      return undefined;
    }
    if (destination.owed.delete(message.id)) destination.seenAt = this.clock.monotonic();
    destination.inHand += 1;
    const returns = this.#returns.get(message.id) ?? 0;
    this.#returns.delete(message.id);
    return returns;
  }

  release(key: string): void {
    const destination = this.#destinations.get(key);
    if (destination === undefined) return;
    destination.inHand -= 1;
    if (destination.inHand === 0 && destination.owed.size === 0) this.#destinations.delete(key);
  }

  #hasRoom({ inHand }: Destination): boolean {
    return inHand === 0 || inHand < this.capacity / 2;
  }

  #isNext(destination: Destination, { id, orderingKey }: SharedMessage): boolean {
    const [next] = destination.owed;
    if (orderingKey === undefined || next === undefined) return true;
    const now = this.clock.monotonic();
    if (next === id) {
      destination.seenAt = now;
      return true;
    }
    if (now - destination.seenAt <= RETURN_MS) return false;
    // Another copy of it may have been settled meanwhile.
    destination.owed.clear();
    return true;
  }
}
