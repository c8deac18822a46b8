import {
  correlationIdOf,
  type EgressEvent,
  ENVELOPE_VERSION,
  envelopeId,
  type IngressEnvelope,
} from '@bitbrat/envelope';

/** A valid envelope; what depends on an overridden field (id, correlation id, `replyTo`) follows it. */
export function anEnvelope(overrides: Partial<IngressEnvelope> = {}): IngressEnvelope {
  const source = overrides.source ?? 'fake';
  const id = overrides.id ?? envelopeId(source, 'm1');
  const from = overrides.from ?? '+15550100';
  const channel = overrides.channel ?? { id: 'c1', kind: 'conversation' };
  return {
    v: ENVELOPE_VERSION,
    type: 'chat.message.v1',
    sender: { id: from, displayName: 'Ada', roles: [], isBot: false },
    text: 'hello',
    attachments: [],
    occurredAt: '2026-01-01T00:00:00.000Z',
    receivedAt: '2026-01-01T00:00:00.250Z',
    correlationId: correlationIdOf(id),
    replyTo: {
      topic: 'internal.egress.v1.test',
      connector: source,
      destination: channel.id,
      inReplyTo: id.slice(source.length + 1),
    },
    metadata: {},
    ...overrides,
    source,
    id,
    from,
    channel,
  };
}

/** A valid event; its correlation id follows an overridden id. */
export function anEgressEvent(overrides: Partial<EgressEvent> = {}): EgressEvent {
  const id = overrides.id ?? 'event-1';
  return {
    v: ENVELOPE_VERSION,
    type: 'chat.send.v1',
    target: { connector: 'fake', destination: 'c1' },
    text: 'hi',
    attachments: [],
    correlationId: correlationIdOf(id),
    metadata: {},
    ...overrides,
    id,
  };
}
