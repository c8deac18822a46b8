import { RateLimiter, type SendRates } from '@bitbrat/connectors-core';
import { type Clock, sleep } from '@bitbrat/foundation';
import { LRUCache } from 'lru-cache';

/** Destinations whose pace is remembered; one that is forgotten has long been quiet. */
const MAX_DESTINATIONS = 10_000;

/** Delays messages so that they keep within the rates that a platform takes. */
export class Pacer {
  readonly #totals = new Map<string, RateLimiter>();
  readonly #destinations = new LRUCache<string, RateLimiter>({ max: MAX_DESTINATIONS });

  constructor(private readonly clock: Clock) {}

  /** Resolves when a message may go to the destination, after `limitMs`, or when `signal` is aborted. */
  async wait(
    connector: string,
    destination: string,
    rates: SendRates | undefined,
    limitMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    if (rates === undefined) return;
    const now = this.clock.monotonic();
    const waits = [0];
    if (rates.total !== undefined) {
      let limiter = this.#totals.get(connector);
      if (limiter === undefined) this.#totals.set(connector, (limiter = new RateLimiter(rates.total)));
      waits.push(limiter.reserve(now));
    }
    if (rates.perDestination !== undefined) {
      const key = `${connector}\n${destination}`;
      let limiter = this.#destinations.get(key);
      if (limiter === undefined)
        this.#destinations.set(key, (limiter = new RateLimiter(rates.perDestination)));
      waits.push(limiter.reserve(now));
    }
    const waitMs = Math.min(limitMs, Math.max(...waits));
    if (waitMs > 0) await sleep(this.clock, waitMs, signal);
  }
}
