import { type ConnectorError } from '@bitbrat/connectors-core';
import { type Clock, type Logger, withTimeout } from '@bitbrat/foundation';
import { toTwilioError } from '../platform/errors.js';
import { type MintedToken, type TwilioTokenProvider } from './token-provider.js';

/** A token is replaced after this part of its life, so that two more tries fit in before its end. */
const REFRESH_AT = 2 / 3;

/** Milliseconds before a renewal that was refused is tried again. */
const RETRY_MS = 15_000;

/** Milliseconds; the SDK's own limit of a request is 30 seconds, but an update that gets no answer stays pending for ever. */
const UPDATE_TIMEOUT_MS = 35_000;

export interface TokenKeeperOptions {
  readonly provider: Pick<TwilioTokenProvider, 'mint' | 'ttlSeconds'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The SDK's `updateToken`. */
  readonly update: (jwt: string) => Promise<unknown>;
  /** Whether the SDK is in the one state in which a refresh is safe. */
  readonly isConnected: () => boolean;
  /** The SDK gave no answer at all: only a new client helps. */
  readonly onBroken: (error: ConnectorError) => void;
}

/** Keeps one client's token fresh: by its own timer, since the platform's warning can be lost, and on that warning. */
export class TokenKeeper {
  readonly #options: TokenKeeperOptions;
  #expiresAt: number;
  #cancelTimer: () => void = () => undefined;
  #updating: Promise<void> | undefined;
  #due = false;
  #stopped = false;

  constructor(first: MintedToken, options: TokenKeeperOptions) {
    this.#options = options;
    this.#expiresAt = first.expiresAt;
    this.#schedule();
  }

  /** Milliseconds since 1970. */
  get expiresAt(): number {
    return this.#expiresAt;
  }

  /** To be called at each `connected`: a refresh that fell into an outage is made up for. */
  onConnected(): void {
    if (this.#due) void this.renew();
  }

  /** Hands the SDK a new token. Concurrent calls share one update, because the SDK would send the first token alone. Never rejects. */
  renew(): Promise<void> {
    this.#updating ??= this.#renew().finally(() => {
      this.#updating = undefined;
    });
    return this.#updating;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
  }

  async #renew(): Promise<void> {
    const { clock, logger, onBroken, provider, update } = this.#options;
    if (this.#stopped) return;
    this.#due = false;
    const token = provider.mint();
    const silence = new Error(`request timeout: no answer after ${UPDATE_TIMEOUT_MS} ms`);
    try {
      await withTimeout(clock, update(token.jwt), UPDATE_TIMEOUT_MS, () => silence);
      this.#expiresAt = token.expiresAt;
      this.#schedule();
    } catch (reason) {
      if (this.#isStopped()) return;
      const error = toTwilioError(reason, 'refresh the access token');
      logger.warn('twilio.token-refresh-failed', { code: error.code, reason: error.message });
      if (reason === silence) onBroken(error);
      else this.#scheduleIn(RETRY_MS);
    }
  }

  /** A method, because the compiler does not see that a stop can come while an update is under way. */
  #isStopped(): boolean {
    return this.#stopped;
  }

  #schedule(): void {
    this.#scheduleIn(this.#options.provider.ttlSeconds * 1000 * REFRESH_AT);
  }

  #scheduleIn(ms: number): void {
    this.#cancelTimer();
    if (this.#stopped) return;
    this.#cancelTimer = this.#options.clock.setTimeout(() => {
      // In any other state the SDK would open a connection of its own or wait for ever.
      if (this.#options.isConnected()) void this.renew();
      else this.#due = true;
    }, ms);
  }
}
