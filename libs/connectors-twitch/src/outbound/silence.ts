/** How long Twitch ignores an account that wrote too fast, in milliseconds. */
export const MAX_MUTE_MS = 30 * 60_000;

/** Milliseconds of each hold in a row. */
const HOLDS_MS = [5_000, 30_000, MAX_MUTE_MS] as const;

/** Messages in a row without an answer that begin the first hold. One may have been lost for any reason. */
const SUSPICIOUS = 2;

/**
 * Finds out that Twitch ignores what the bot writes. Twitch says nothing then, and a message that stays without an answer
 * may as well have been dropped for its text, or its answer may have been lost. So after some of them nothing is sent for a
 * short while, then one message, and each one that stays without an answer begins a longer hold. Times by the monotonic
 * clock.
 */
export class Silence {
  #unanswered = 0;
  #holds = 0;
  #heldAt = -Infinity;

  /** Whether messages go out one at a time, until one is answered. */
  get isSuspected(): boolean {
    return this.#unanswered > 0;
  }

  /** An earlier process has found that Twitch ignores the account. */
  resume(): void {
    this.#unanswered = SUSPICIOUS;
    this.#holds = HOLDS_MS.length;
  }

  /** A message was confirmed or refused. @returns whether that ends a hold, or what follows one */
  answered(): boolean {
    const hadHold = this.#holds > 0;
    this.#unanswered = 0;
    this.#holds = 0;
    return hadHold;
  }

  /**
   * The connection has ended, which explains why there was no answer.
   * @returns whether that ends a hold. It does not end the longest one
   */
  explained(): boolean {
    return this.#holds < HOLDS_MS.length && this.answered();
  }

  /**
   * A message has got no answer in time.
   * @returns for how many milliseconds nothing may be sent; 0: go on
   */
  unanswered(sentAt: number, now: number): number {
    // What was on its way when the hold began says nothing new.
    if (sentAt < this.#heldAt) return 0;
    this.#unanswered += 1;
    if (this.#unanswered < SUSPICIOUS && this.#holds === 0) return 0;
    const holdMs = HOLDS_MS[Math.min(this.#holds, HOLDS_MS.length - 1)] ?? 0;
    this.#holds += 1;
    this.#heldAt = now;
    return holdMs;
  }
}
