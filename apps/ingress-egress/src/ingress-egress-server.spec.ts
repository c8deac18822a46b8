import { type ConnectorHost, type IConnector } from '@bitbrat/connectors-core';
import { RecordingLogger, waitFor } from '@bitbrat/connectors-testing';
import { decodeOutcome } from '@bitbrat/envelope';
import { systemClock } from '@bitbrat/foundation';
import { createMemoryBus } from '@bitbrat/message-bus';
import { createMemoryStore } from '@bitbrat/state-store';
import { readSettings } from './composition.js';
import { IngressEgressServer } from './ingress-egress-server.js';

const aConnector = (): IConnector => ({
  name: 'fake',
  capabilities: {
    text: { maxLength: 10, unit: 'utf16', multiline: true },
    attachments: { inbound: false, maxOutbound: 0 },
    directMessages: false,
    replies: false,
    receipts: true,
    edits: false,
    formatting: 'none',
    duplicateProtection: 'none',
  },
  start: () => Promise.resolve(),
  stop: () => Promise.resolve(),
  sendText: () => Promise.resolve({ platformMessageIds: [], duplicate: false }),
  getSnapshot: () => ({
    name: 'fake',
    state: { status: 'connected', since: 'then' },
    counters: { received: 0, ignored: 0, sent: 0, sendFailures: 0, reconnects: 0 },
    details: {},
  }),
});

describe('IngressEgressServer', () => {
  it("publishes a connector's delivery receipt as an outcome", async () => {
    const logger = new RecordingLogger();
    const bus = createMemoryBus({ logger });
    const hosts: ConnectorHost[] = [];
    const create = (host: ConnectorHost): IConnector => {
      hosts.push(host);
      return aConnector();
    };
    const { topics } = new IngressEgressServer({
      config: readSettings({}).service,
      connectors: [{ name: 'fake', create }],
      bus,
      instanceId: 'i1',
      clock: systemClock,
      logger,
      random: () => 0,
      store: createMemoryStore(),
    });
    const outcomes: unknown[] = [];
    await bus.subscribe({ topic: topics.outcome, subscription: 'test' }, (message) => {
      outcomes.push(decodeOutcome(message.data));
      return Promise.resolve('ack');
    });
    await hosts[0]?.receiptReceived?.({
      eventId: 'e1',
      correlationId: 'c1',
      part: 2,
      parts: 2,
      destination: 'room',
      platformMessageId: 'm2',
      status: 'read',
      occurredAt: '2026-11-20T12:00:00.000Z',
    });
    await waitFor(() => outcomes.length > 0, 5_000, 'the outcome');
    await bus.close(1_000);
    expect(outcomes).toMatchObject([
      {
        ok: true,
        value: { id: 'e1:read:2', status: 'read', target: { connector: 'fake', destination: 'room' } },
      },
    ]);
  });
});
