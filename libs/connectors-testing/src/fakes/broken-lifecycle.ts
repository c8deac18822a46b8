import { ConnectorError, type ConnectorState } from '@bitbrat/connectors-core';
import { type BrokenConnector } from './broken-connector.js';
import { FakeConnector } from './fake-connector.js';

const never = (): Promise<never> => new Promise(() => undefined);

/** Flaws in starting, stopping and reconnecting. */
export const brokenLifecycle: readonly BrokenConnector[] = [
  [
    'has a name that is no slug',
    'has a slug for a name, and shows it',
    class extends FakeConnector {
      override readonly name = 'Fake!';
    },
  ],
  [
    'resolves start before it is connected',
    'start resolves when connected, and the state says so',
    class extends FakeConnector {
      override start(signal: AbortSignal): Promise<void> {
        super.start(signal).catch(() => undefined);
        return Promise.resolve();
      }
    },
  ],
  [
    'keeps its state to itself',
    'start resolves when connected, and the state says so',
    class extends FakeConnector {
      protected override setState(state: ConnectorState): void {
        this.state = state;
      }
    },
  ],
  [
    'connects again at a second start',
    'a second start is a no-op',
    class extends FakeConnector {
      override async start(signal: AbortSignal): Promise<void> {
        await super.start(signal);
        await this.connect();
      }
    },
  ],
  [
    'connects once for each concurrent start',
    'concurrent starts are one start',
    class extends FakeConnector {
      override async start(signal: AbortSignal): Promise<void> {
        const second = new FakeConnector(this.platform, this.host, this.token);
        if (this.state.status === 'starting') return second.start(signal);
        return super.start(signal);
      }
    },
  ],
  [
    'rejects a stop before the first start',
    'stop is idempotent, in any state',
    class extends FakeConnector {
      override stop(): Promise<void> {
        if (this.session === undefined) return Promise.reject(new Error('not started'));
        return super.stop();
      }
    },
  ],
  [
    'never ends a stop while starting',
    'stop is idempotent, in any state',
    class extends FakeConnector {
      override stop(): Promise<void> {
        return this.state.status === 'starting' ? never() : super.stop();
      }
    },
  ],
  [
    'publishes after stop',
    'after stop nothing is published and no state is reported but stopped',
    class extends FakeConnector {
      protected override closeSession(): void {
        const { session } = this;
        this.session = undefined;
        if (session !== undefined) session.onMessage = (message) => void this.take(message);
      }
    },
  ],
  [
    'comes back after stop',
    'after stop nothing is published and no state is reported but stopped',
    class extends FakeConnector {
      override async stop(): Promise<void> {
        await super.stop();
        this.onLost();
      }
    },
  ],
  [
    'leaves its connection open',
    'after stop nothing is published and no state is reported but stopped',
    class extends FakeConnector {
      protected override closeSession(): void {
        const { session } = this;
        this.session = undefined;
        if (session !== undefined) session.onMessage = () => undefined;
      }
    },
  ],
  [
    'lives once only',
    'works again after stop and start',
    class extends FakeConnector {
      #stopped = false;
      override stop(): Promise<void> {
        this.#stopped = true;
        return super.stop();
      }
      protected override drain(channel: string): void {
        if (!this.#stopped) super.drain(channel);
      }
    },
  ],
  [
    'goes on after its start was aborted',
    'an aborted start rejects and leaves nothing behind',
    class extends FakeConnector {
      override start(): Promise<void> {
        return super.start(new AbortController().signal);
      }
    },
  ],
  [
    'rejects an aborted start and connects all the same',
    'an aborted start rejects and leaves nothing behind',
    class extends FakeConnector {
      override async start(signal: AbortSignal): Promise<void> {
        await super.start(new AbortController().signal);
        if (signal.aborted) throw new ConnectorError('TIMEOUT', 'aborted');
      }
    },
  ],
  [
    'takes refused credentials for a passing fault',
    'refused credentials are AUTH_FAILED, final, with a hint',
    class extends FakeConnector {
      protected override toConnectorError(error: unknown): ConnectorError {
        return new ConnectorError('UPSTREAM_UNAVAILABLE', super.toConnectorError(error).message);
      }
    },
  ],
  [
    'fails without a hint',
    'refused credentials are AUTH_FAILED, final, with a hint',
    class extends FakeConnector {
      protected override toConnectorError(error: unknown): ConnectorError {
        const { code, message } = super.toConnectorError(error);
        return new ConnectorError(code, message, { hint: '' });
      }
    },
  ],
  [
    'tells the token in an error',
    'refused credentials are AUTH_FAILED, final, with a hint',
    class extends FakeConnector {
      protected override toConnectorError(error: unknown): ConnectorError {
        return new ConnectorError(super.toConnectorError(error).code, `refused: ${this.token}`);
      }
    },
  ],
  [
    'never reconnects',
    'a lost connection is reported and comes back',
    class extends FakeConnector {
      protected override later(): void {
        // Whatever was to be done later is not.
      }
    },
  ],
  [
    'hides that the connection was lost',
    'a lost connection is reported and comes back',
    class extends FakeConnector {
      protected override onLost(): void {
        this.session = undefined;
        this.later(() => void this.connect());
      }
    },
  ],
];
