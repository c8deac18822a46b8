import { ConnectorError } from '@bitbrat/connectors-core';
import { type Clock } from '@bitbrat/foundation';

/** Milliseconds: the header `Date` has whole seconds, so on average it is late by half of one. */
const HALF_SECOND_MS = 500;

/** A round trip that takes longer, in milliseconds, says too little about the time. */
const MAX_ROUND_TRIP_MS = 10_000;

/** Questions without a time in their answer after which this machine's clock counts. */
const MAX_FAILURES = 3;

/** RFC 9110, 5.6.7: the one form in which servers send a date. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * The time at the platform: of messages, conversations and tokens the platform judges by its own clock, and ours may be
 * wrong by hours. Learned from the header `Date` of its answers; between them our monotonic clock, which nobody sets, goes on.
 */
export class PlatformClock {
  #anchor: { readonly at: number; readonly monotonic: number } | undefined;
  #failures = 0;
  #asking: Promise<void> | undefined;

  /** @param ask any request that the platform answers, and that hands the answer's date to `hear`. May reject */
  constructor(
    private readonly clock: Clock,
    private readonly ask: () => Promise<unknown>,
  ) {}

  /** Milliseconds since 1970; by this machine's clock while the platform's is not known. */
  now(): number {
    if (this.#anchor === undefined) return this.clock.now();
    return this.#anchor.at + this.clock.monotonic() - this.#anchor.monotonic;
  }

  /** Milliseconds by which this machine's clock is ahead of the platform's; undefined while that is not known. */
  get aheadMs(): number | undefined {
    return this.#anchor === undefined ? undefined : this.clock.now() - this.now();
  }

  /**
   * Takes the header `Date` of an answer. Anything else than a date is passed over.
   * @param askedAt when the request was sent, by the clock's monotonic time
   */
  hear(date: string | null | undefined, askedAt: number): void {
    const answeredAt = this.clock.monotonic();
    if (!HTTP_DATE.test(date ?? '') || answeredAt - askedAt > MAX_ROUND_TRIP_MS) return;
    const at = Date.parse(date ?? '');
    if (Number.isNaN(at)) return;
    this.#anchor = { at: at + HALF_SECOND_MS, monotonic: (askedAt + answeredAt) / 2 };
  }

  /**
   * Resolves when the time is known, or cannot be learned: after three answers without a time, or none, our clock counts.
   * @throws ConnectorError UPSTREAM_UNAVAILABLE: not known yet, to be asked again
   */
  async learn(): Promise<void> {
    if (this.#anchor !== undefined || this.#failures >= MAX_FAILURES) return;
    this.#asking ??= this.ask()
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => {
        this.#asking = undefined;
        this.#failures += 1;
      });
    await this.#asking;
    if (this.#isUnknown()) {
      throw new ConnectorError('UPSTREAM_UNAVAILABLE', "the platform's time is not known yet");
    }
  }

  /** Asks once more, whether the time is known or not. Never rejects. */
  async refresh(): Promise<void> {
    await this.ask().catch(() => undefined);
  }

  #isUnknown(): boolean {
    return this.#anchor === undefined && this.#failures < MAX_FAILURES;
  }
}
