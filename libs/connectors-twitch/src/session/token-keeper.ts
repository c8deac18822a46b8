import { type ConnectorError, toConnectorError } from '@bitbrat/connectors-core';
import { type Clock, type Logger } from '@bitbrat/foundation';
import { type TwitchTokenProvider, VALIDATE_EVERY_MS } from './token-provider.js';

/** Milliseconds before a renewal that failed is tried again. */
const RETRY_MS = 60_000;

/** The longest that Twitch can ask to wait before the next try, in milliseconds. */
const MAX_RETRY_MS = 15 * 60_000;

export interface TokenKeeperOptions {
  readonly provider: TwitchTokenProvider;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The token has ended, and Twitch gives no other: the session must end. */
  readonly onEnded: (error: ConnectorError) => void;
  /** The token could not be validated or refreshed, and is good as far as anyone knows. @param retryAt milliseconds since 1970 */
  readonly onProblem: (error: ConnectorError, retryAt: number) => void;
  readonly onSolved: () => void;
}

/**
 * Keeps the token good while a session lasts, so that the next login has one. An open connection needs no new token: Twitch checks it at
 * the login. It ends only with a token that Twitch calls ended and does not replace.
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
    try {
      await this.#options.provider.renew(this.#abort.signal);
      if (this.#abort.signal.aborted) return;
      this.#options.onSolved();
      this.#schedule();
    } catch (reason) {
      if (!this.#abort.signal.aborted) this.#onFailure(toConnectorError(reason));
    }
  }

  #onFailure(error: ConnectorError): void {
    const { clock, logger, onEnded, onProblem, provider } = this.#options;
    if (provider.hasEnded && error.failureClass === 'definite') {
      onEnded(error);
      return;
    }
    const waitMs = Math.min(MAX_RETRY_MS, Math.max(RETRY_MS, error.retryAfterMs ?? 0));
    logger.warn('twitch.token-refresh-failed', { code: error.code, reason: error.message, waitMs });
    onProblem(error, clock.now() + waitMs);
    this.#scheduleIn(waitMs);
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
