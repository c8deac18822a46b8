import { type ConnectorCapabilities, type ConnectorSnapshot } from '@bitbrat/connectors-core';
import { type IngressEnvelope } from '@bitbrat/envelope';
import { type BrokenConnector } from './broken-connector.js';
import { FakeConnector } from './fake-connector.js';
import { FAKE_CAPABILITIES } from './fake-mapping.js';
import { type FakeMessage } from './fake-platform.js';

/** Flaws in what a connector tells about itself. */
export const brokenInsight: readonly BrokenConnector[] = [
  [
    'lets its capabilities be changed',
    'capabilities are frozen and make sense',
    class extends FakeConnector {
      override readonly capabilities: ConnectorCapabilities = { ...FAKE_CAPABILITIES };
    },
  ],
  [
    'hands out its live counters',
    'a snapshot is JSON and does not change afterwards',
    class extends FakeConnector {
      override getSnapshot(): ConnectorSnapshot {
        return { ...super.getSnapshot(), counters: this.counters };
      }
    },
  ],
  [
    'has a map in its snapshot',
    'a snapshot is JSON and does not change afterwards',
    class extends FakeConnector {
      protected override details(): Record<string, unknown> {
        return { channels: new Map([['a', 1]]) };
      }
    },
  ],
  [
    'does not count',
    'the counters move',
    class extends FakeConnector {
      override getSnapshot(): ConnectorSnapshot {
        const counters = { received: 0, ignored: 0, sent: 0, sendFailures: 0, reconnects: 0 };
        return { ...super.getSnapshot(), counters };
      }
    },
  ],
  [
    'tells the token in its snapshot',
    'no secret is seen outside',
    class extends FakeConnector {
      protected override details(): Record<string, unknown> {
        return { session: { auth: `Bearer ${this.token}` } };
      }
    },
  ],
  [
    'logs the token',
    'no secret is seen outside',
    class extends FakeConnector {
      protected override connect(): Promise<void> {
        this.host.logger.debug('fake.connecting', { cause: new Error(`with ${this.token}`) });
        return super.connect();
      }
    },
  ],
  [
    'publishes the token',
    'no secret is seen outside',
    class extends FakeConnector {
      protected override toEnvelope(message: FakeMessage): IngressEnvelope {
        return { ...super.toEnvelope(message), metadata: { token: this.token } };
      }
    },
  ],
];
