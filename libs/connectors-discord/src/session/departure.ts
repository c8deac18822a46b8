import { AsyncLocalStorage } from 'node:async_hooks';
import { assertInTime, toConnectorError } from '@bitbrat/connectors-core';
import { type Clock } from '@bitbrat/foundation';
import { type Dispatcher } from 'undici';
import type * as sdkTypes from './sdk.js';

/** What we use of undici, the HTTP client of the SDK. */
type HttpClasses = Pick<typeof sdkTypes, 'DecoratorHandler' | 'getGlobalDispatcher'>;

/**
 * Keeps a request from leaving after its time. The SDK waits for rate limits, and its HTTP client for a connection, before the first
 * byte is written, and neither knows of a time limit.
 */
export class Departure {
  readonly #limit = new AsyncLocalStorage<number>();

  constructor(private readonly clock: Clock) {}

  /**
   * Runs `work`, whose requests leave before `expiresAt` or not at all.
   * @param expiresAt milliseconds since 1970; undefined: no limit
   */
  before<T>(expiresAt: number | undefined, work: () => T): T {
    return expiresAt === undefined ? work() : this.#limit.run(expiresAt, work);
  }

  /** Milliseconds in which the request of the calling code may still leave. */
  get leftMs(): number {
    return (this.#limit.getStore() ?? Infinity) - this.clock.now();
  }

  /**
   * The dispatcher for a request of the calling code; undefined: the default one.
   * An expired request is refused when its connection is there, directly before it is written; it then fails with EXPIRED.
   */
  dispatcher(http: HttpClasses): Dispatcher | undefined {
    const expiresAt = this.#limit.getStore();
    if (expiresAt === undefined) return undefined;
    const { clock } = this;
    const { DecoratorHandler, getGlobalDispatcher } = http;
    class InTimeHandler extends DecoratorHandler implements Dispatcher.DispatchHandlers {
      constructor(private readonly handler: Dispatcher.DispatchHandlers) {
        super(handler);
      }
      onConnect(abort: (reason?: Error) => void): void {
        try {
          assertInTime(clock, expiresAt);
        } catch (error) {
          abort(toConnectorError(error));
          return;
        }
        this.handler.onConnect?.(abort);
      }
    }
    return getGlobalDispatcher().compose(
      (dispatch) => (options, handler) => dispatch(options, new InTimeHandler(handler)),
    );
  }
}
