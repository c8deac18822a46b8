import { ConnectorError, Opening, toConnectorError } from '@bitbrat/connectors-core';
import { type Clock, type Logger, Timers, withTimeout } from '@bitbrat/foundation';
import { isListedCloseCode } from '../platform/errors.js';
import { type SessionEvents } from './session-contract.js';

/** Milliseconds without a connection after which a new client is the better bet: Discord keeps a session for some minutes only. */
const RECONNECT_LIMIT_MS = 300_000;

export interface StandingOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: Pick<SessionEvents, 'onConnected' | 'onFailed' | 'onReconnecting'>;
}

/** How a client stands with the gateway: on its way, there, away for a while, failed for good, or closed. */
export class GatewayStanding {
  readonly #timers: Timers<'limit'>;
  #phase: 'opening' | 'open' | 'failed' | 'closed' = 'opening';
  #isConnected = false;
  #opening: Opening | undefined;
  #onOpen: () => void = () => undefined;
  #lastCloseCode: number | undefined;

  constructor(private readonly options: StandingOptions) {
    this.#timers = new Timers(options.clock);
  }

  /** Whether the gateway's session is there at present. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  get isOpening(): boolean {
    return this.#phase === 'opening';
  }

  /** Whether it was opened and has not failed; it may be away. */
  get isOpen(): boolean {
    return this.#phase === 'open';
  }

  /**
   * Resolves at the first `back`, when `logIn` has resolved, too.
   * @param signal aborted when the caller gives up
   * @throws ConnectorError: what `fail` was told, what `logIn` rejects with, TIMEOUT after `limitMs` milliseconds
   */
  async open(logIn: () => Promise<void>, limitMs: number, signal: AbortSignal): Promise<void> {
    const opening = (this.#opening = new Opening(signal));
    const opened = new Promise<void>((resolve) => {
      this.#onOpen = resolve;
    });
    try {
      await withTimeout(this.options.clock, opening.race(logIn().then(() => opened)), limitMs, () =>
        this.#tooLate(limitMs),
      );
    } finally {
      opening.end();
    }
  }

  /** Runs a listener, unless all is over: what it throws would end the SDK's socket or the process. */
  guard(listener: () => void): void {
    if (this.#phase === 'closed' || this.#phase === 'failed') return;
    try {
      listener();
    } catch (error) {
      this.options.logger.error('discord.listener-failed', { reason: toConnectorError(error).message });
    }
  }

  /** The session is there: for the first time, resumed, or a new one. */
  back(): void {
    this.#timers.cancel('limit');
    if (this.#isConnected) return;
    this.#isConnected = true;
    if (this.#phase === 'opening') {
      this.#phase = 'open';
      this.#onOpen();
    } else {
      this.options.events.onConnected();
    }
  }

  /** The gateway's socket is closed, and the SDK tries again. */
  lost(closeCode: number): void {
    this.#lastCloseCode = closeCode;
    if (this.#phase !== 'open') return;
    if (this.#isConnected) {
      this.#isConnected = false;
      const nativeCode = String(closeCode);
      this.options.events.onReconnecting(
        new ConnectorError('UPSTREAM_UNAVAILABLE', `the gateway's socket was closed: ${closeCode}`, {
          nativeCode,
        }),
      );
    }
    if (this.#timers.has('limit')) return;
    this.#timers.set('limit', RECONNECT_LIMIT_MS, () => {
      this.guard(() => {
        this.fail(new ConnectorError('UPSTREAM_UNAVAILABLE', `no connection for ${RECONNECT_LIMIT_MS} ms`));
      });
    });
  }

  #tooLate(limitMs: number): ConnectorError {
    const closeCode = this.#lastCloseCode;
    const message = `not connected after ${limitMs} ms`;
    if (closeCode === undefined) return new ConnectorError('TIMEOUT', message);
    return new ConnectorError('UPSTREAM_UNAVAILABLE', `${message}: the gateway closed with ${closeCode}`, {
      nativeCode: String(closeCode),
      unlisted: !isListedCloseCode(closeCode),
    });
  }

  /** Only a new client helps. */
  fail(error: ConnectorError): void {
    if (this.#phase === 'opening') {
      this.#opening?.fail(error);
    } else if (this.#phase === 'open') {
      this.#phase = 'failed';
      this.#isConnected = false;
      this.options.events.onFailed(error);
    }
  }

  /** Nothing is told any more. Returns whether it was closed now. */
  close(): boolean {
    if (this.#phase === 'closed') return false;
    this.#phase = 'closed';
    this.#isConnected = false;
    this.#timers.cancelAll();
    return true;
  }
}
