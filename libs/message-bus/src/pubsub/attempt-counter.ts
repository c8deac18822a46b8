import { LRUCache } from 'lru-cache';

/** Deliveries that are remembered. */
const REMEMBERED = 10_000;

/**
 * Counts deliveries where Pub/Sub does not: it counts only for subscriptions with a dead-letter topic.
 *
 * Within this process, and as far back as memory serves: another process begins at 1 again.
 */
export class AttemptCounter {
  private readonly counts = new LRUCache<string, number>({ max: REMEMBERED });

  /** Number of this delivery, from 1. */
  next(subscription: string, messageId: string, countedByService: number): number {
    const key = `${subscription}/${messageId}`;
    const count = Math.max((this.counts.get(key) ?? 0) + 1, countedByService);
    this.counts.set(key, count);
    return count;
  }

  /** Whether messages of the subscription were delivered and not acknowledged. */
  remembers(subscription: string): boolean {
    for (const key of this.counts.keys()) if (key.startsWith(`${subscription}/`)) return true;
    return false;
  }

  /** The message was acknowledged. */
  forget(subscription: string, messageId: string): void {
    this.counts.delete(`${subscription}/${messageId}`);
  }
}
