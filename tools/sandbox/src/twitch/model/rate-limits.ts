/** A limit of so many events within a sliding span of time. */
export interface RateLimit {
  readonly count: number;
  /** Milliseconds. */
  readonly windowMs: number;
}

/** Counts events per key within a sliding window. */
export class SlidingWindow {
  readonly #times = new Map<string, number[]>();

  constructor(
    private readonly windowMs: number,
    private readonly now: () => number,
  ) {}

  /** Counts one event and returns how many there are in the window, this one included. */
  hit(key: string): number {
    const now = this.now();
    const recent = (this.#times.get(key) ?? []).filter((time) => now - time < this.windowMs);
    recent.push(now);
    this.#times.set(key, recent);
    return recent.length;
  }
}

/** How fast accounts may write. */
export interface MessageLimits {
  readonly windowMs: number;
  /** Messages per window in a channel where the account is an ordinary user. */
  readonly ordinary: number;
  /** Messages per window in a channel where it is broadcaster, moderator or VIP. */
  readonly privileged: number;
  /** How long everything is ignored once the limit was crossed, in milliseconds. */
  readonly muteMs: number;
  /** Milliseconds between two messages of an ordinary user to one channel. */
  readonly spacingMs: number;
}

/** `limited`: too soon after the one before. `muted`: ignored, because the limit is crossed by this message or was before. */
export type Pace = 'ok' | 'limited' | 'muted';

/** Enforces the message limits: one count per account over all channels, compared with the limit of the channel written to. */
export class MessagePacer {
  readonly #sent: SlidingWindow;
  readonly #mutedUntil = new Map<string, number>();
  readonly #lastIn = new Map<string, number>();

  constructor(
    private readonly limits: MessageLimits,
    private readonly now: () => number,
  ) {
    this.#sent = new SlidingWindow(limits.windowMs, now);
  }

  /** Counts a message and says what becomes of it. */
  pace(login: string, channel: string, privileged: boolean): Pace {
    const now = this.now();
    const sent = this.#sent.hit(login);
    if (privileged) return sent <= this.limits.privileged ? 'ok' : 'limited';
    if (now < (this.#mutedUntil.get(login) ?? 0)) return 'muted';
    if (sent > this.limits.ordinary) {
      this.#mutedUntil.set(login, now + this.limits.muteMs);
      return 'muted';
    }
    const key = `${login} ${channel}`;
    const isTooSoon = now - (this.#lastIn.get(key) ?? -Infinity) < this.limits.spacingMs;
    if (!isTooSoon) this.#lastIn.set(key, now);
    return isTooSoon ? 'limited' : 'ok';
  }

  /** Whether the account is ignored where it is an ordinary user. */
  isMuted(login: string): boolean {
    return this.now() < (this.#mutedUntil.get(login) ?? 0);
  }

  /** Lets everybody be heard again. */
  forgive(): void {
    this.#mutedUntil.clear();
  }
}
