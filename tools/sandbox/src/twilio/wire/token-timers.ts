import { type TokenClaims } from './tokens.js';

/** Longest delay of a timer, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What happens in a token's life. */
export interface TokenWatcher {
  aboutToExpire(): void;
  expired(): void;
}

/** Tells a connection when its token nears its end and when it has ended. */
export class TokenTimers {
  #timers: NodeJS.Timeout[] = [];

  /** @param warningMs how long before the end to warn; at most a quarter of the token's life. */
  constructor(
    private readonly warningMs: number,
    private readonly watcher: TokenWatcher,
  ) {}

  /** Watches a token instead of the one before. `now` in milliseconds since the epoch. @param warns whether its owner is warned before the end */
  watch({ expiresAt, issuedAt }: TokenClaims, now: number, warns = true): void {
    this.clear();
    const lead = Math.min(this.warningMs, (expiresAt - issuedAt) / 4);
    if (warns) {
      this.#at(expiresAt - lead - now, () => {
        this.watcher.aboutToExpire();
      });
    }
    this.#at(expiresAt - now, () => {
      this.watcher.expired();
    });
  }

  /** Watches nothing any more. */
  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }

  #at(delayMs: number, act: () => void): void {
    this.#timers.push(setTimeout(act, Math.min(MAX_TIMER_MS, Math.max(0, delayMs))).unref());
  }
}
