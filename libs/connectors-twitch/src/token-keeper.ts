import { type Clock, type ConnectorError, type Logger, toConnectorError } from '@bitbrat/connectors-core';
import { type TwitchTokenProvider } from './token-provider.js';

/** Milliseconds between two validations: once an hour is what Twitch demands ("Validating Tokens"). */
const VALIDATE_EVERY_MS = 60 * 60_000;

/** Milliseconds before a renewal that failed is tried again. */
const RETRY_MS = 60_000;

export interface TokenKeeperOptions {
  readonly provider: TwitchTokenProvider;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The token is refused for good: the session must end. */
  readonly onRefused: (error: ConnectorError) => void;
}

/**
 * Keeps the token good while a session lasts, so that the next login has one. An open connection needs no new token: Twitch checks it at
 * the login.
 */
export class TokenKeeper {
  readonly #options: TokenKeeperOptions;
  #cancel: () => void = () => undefined;
  readonly #abort = new AbortController();

  constructor(options: TokenKeeperOptions) {
    this.#options = options;
    this.#schedule();
  }

  stop(): void {
    this.#abort.abort();
    this.#cancel();
  }

  async #renew(): Promise<void> {
    const { logger, onRefused, provider } = this.#options;
    try {
      await provider.goodToken(this.#abort.signal);
      this.#schedule();
    } catch (reason) {
      if (this.#abort.signal.aborted) return;
      const error = toConnectorError(reason);
      if (!error.retryable) {
        onRefused(error);
        return;
      }
      logger.warn('twitch.token-refresh-failed', { code: error.code, reason: error.message });
      this.#scheduleIn(RETRY_MS);
    }
  }

  #schedule(): void {
    const { clock, provider } = this.#options;
    const dueIn = (provider.refreshAt ?? Infinity) - clock.now();
    this.#scheduleIn(Math.max(0, Math.min(VALIDATE_EVERY_MS, dueIn)));
  }

  #scheduleIn(ms: number): void {
    this.#cancel();
    if (this.#abort.signal.aborted) return;
    this.#cancel = this.#options.clock.setTimeout(() => void this.#renew(), ms);
  }
}
