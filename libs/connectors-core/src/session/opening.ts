import { ConnectorError } from '../connector-error.js';

/** A connection on its way to be open, which its caller may give up and a fault may end. */
export class Opening {
  readonly #failed: Promise<never>;
  #reject: (error: ConnectorError) => void = () => undefined;
  #letGo: () => void = () => undefined;

  /** @param signal aborted when the caller gives up */
  constructor(signal: AbortSignal) {
    this.#failed = new Promise<never>((_, reject) => {
      this.#reject = reject;
    });
    // A fault may come when nobody waits any more.
    this.#failed.catch(() => undefined);
    const abort = (): void => {
      this.fail(new ConnectorError('NOT_CONNECTED', 'the start was given up'));
    };
    signal.addEventListener('abort', abort, { once: true });
    this.#letGo = () => {
      signal.removeEventListener('abort', abort);
    };
    if (signal.aborted) abort();
  }

  /** Whoever waits gets this error; only the first counts. */
  fail(error: ConnectorError): void {
    this.#reject(error);
  }

  /** Settles as `work` does, unless the opening fails first. @throws ConnectorError */
  race<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#failed]);
  }

  /** To be called when it is open, or will never be. */
  end(): void {
    this.#letGo();
  }
}
