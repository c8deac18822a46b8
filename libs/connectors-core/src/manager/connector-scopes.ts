import { AsyncLocalStorage } from 'node:async_hooks';

/** One call for one event (a send, a webhook). An exception that escapes from it fails the call alone. */
interface Call {
  readonly isOpen: () => boolean;
  readonly fail: (error: Error) => void;
}

/** For whom code runs. Timers, sockets, listeners and promises keep the scope in which they were made. */
export interface ConnectorScope {
  readonly connector: string;
  /** Which start of the connector the code belongs to, from 1; 0 before the first. */
  readonly life: number;
  /** The event that the code works for, where it works for one. */
  readonly call?: Call;
}

/**
 * Knows which connector the running code belongs to, also in the process's `uncaughtException` and `unhandledRejection`
 * handlers: Node runs them in the context of what was thrown. Only `queueMicrotask` has no scope there before Node 24.
 */
export class ConnectorScopes {
  readonly #storage = new AsyncLocalStorage<ConnectorScope | undefined>();

  /** Undefined where the code belongs to no connector. */
  get current(): ConnectorScope | undefined {
    return this.#storage.getStore();
  }

  run<T>(scope: ConnectorScope, work: () => T): T {
    return this.#storage.run(scope, work);
  }

  /** For what a connector asks the service to do: a fault of the bus is not the connector's. */
  outside<T>(work: () => T): T {
    return this.#storage.run(undefined, work);
  }

  /** Settles as `work` does, or rejects when an exception that escaped from it is attributed to the call. */
  call<T>(scope: ConnectorScope, work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let open = true;
      const call: Call = { isOpen: () => open, fail: reject };
      this.run({ ...scope, call }, async () => work())
        .then(resolve, reject)
        .finally(() => {
          open = false;
        })
        .catch(reject);
    });
  }
}
