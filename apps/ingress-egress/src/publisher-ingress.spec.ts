import { RecordingLogger, waitFor } from '@bitbrat/connectors-testing';
import { createTopics, decodeDeadLetter, type IngressEnvelope } from '@bitbrat/envelope';
import { systemClock } from '@bitbrat/foundation';
import { BusError, type BusErrorCode, createMemoryBus, type MessageBus } from '@bitbrat/message-bus';
import { Publisher } from './publisher.js';

const topics = createTopics();

const envelope: IngressEnvelope = {
  v: '1',
  id: 'twitch:m1',
  type: 'chat.message.v1',
  source: 'twitch',
  from: '1',
  sender: { id: '1', displayName: 'a', roles: [], isBot: false },
  channel: { id: 'c', kind: 'channel' },
  text: 'hello',
  attachments: [],
  occurredAt: '2026-11-20T12:00:00.000Z',
  receivedAt: '2026-11-20T12:00:00.000Z',
  correlationId: '5f0f4c1e-0c6a-4d7e-9d0a-0d3b6d9b8f11',
  replyTo: { topic: 't', connector: 'twitch', destination: 'c' },
  metadata: {},
};

/** A bus whose ingress topic refuses everything with this code. */
function refusing(code: BusErrorCode): MessageBus {
  const bus = createMemoryBus();
  return {
    publish: (topic, message, options) =>
      topic === topics.ingress
        ? Promise.reject(new BusError(code, 'said the bus'))
        : bus.publish(topic, message, options),
    subscribe: (options, handler) => bus.subscribe(options, handler),
    checkHealth: (timeoutMs) => bus.checkHealth(timeoutMs),
    close: (timeoutMs) => bus.close(timeoutMs),
  };
}

describe('Publisher of envelopes', () => {
  const publisherOn = (bus: MessageBus): Publisher =>
    new Publisher({ bus, topics, clock: systemClock, logger: new RecordingLogger(), source: '/test' });

  it('makes a dead letter of an envelope that the bus refuses by itself', async () => {
    const bus = refusing('INVALID_MESSAGE');
    const letters: unknown[] = [];
    await bus.subscribe({ topic: topics.deadLetter, subscription: 'test' }, (message) => {
      letters.push(decodeDeadLetter(message.data));
      return Promise.resolve('ack');
    });
    await publisherOn(bus).ingress(envelope);
    await waitFor(() => letters.length > 0, 5_000, 'the dead letter');
    await bus.close(1_000);
    expect(letters).toMatchObject([
      { ok: true, value: { error: { code: 'REFUSED_BY_BUS', message: 'said the bus' } } },
    ]);
  });

  it('leaves every other failure of the bus to the connector', async () => {
    await expect(publisherOn(refusing('CLOSED')).ingress(envelope)).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
