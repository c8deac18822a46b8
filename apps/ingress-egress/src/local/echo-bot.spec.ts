import { anEnvelope, RecordingLogger, waitFor } from '@bitbrat/connectors-testing';
import { createTopics, decodeEgress, encodeIngress, type IngressEnvelope } from '@bitbrat/envelope';
import { systemClock } from '@bitbrat/foundation';
import { createMemoryBus } from '@bitbrat/message-bus';
import { EchoBot } from './echo-bot.js';

const topics = createTopics();
const sender = { id: 'u1', displayName: 'u1', roles: [], isBot: true };

describe('EchoBot', () => {
  it.each<[string, Partial<IngressEnvelope>]>([
    ['a bot', { sender }],
    ['an edit', { type: 'chat.message.edited.v1' }],
    ['STOP', { text: 'STOP', metadata: { consent: 'out' } }],
    ['a consent event', { type: 'contact.consent.v1', text: '', metadata: { consent: 'out' } }],
  ])('answers a message, and not %s', async (_, overrides) => {
    const bus = createMemoryBus({ logger: new RecordingLogger() });
    const bot = new EchoBot(bus, topics, systemClock, new RecordingLogger());
    const answered: string[] = [];
    const envelopes = [anEnvelope({ id: 'fake:1', ...overrides }), anEnvelope({ id: 'fake:2', text: 'hi' })];
    const { topic } = anEnvelope().replyTo;
    await bus.subscribe({ topic, subscription: 'test' }, (message) => {
      const event = decodeEgress(message.data);
      answered.push(event.ok ? `${event.value.id} ${event.value.text}` : 'unreadable');
      return Promise.resolve('ack');
    });
    await bot.start();
    for (const envelope of envelopes) {
      const encoded = encodeIngress(envelope);
      if (encoded.ok) await bus.publish(topics.ingress, encoded.value);
    }
    await waitFor(() => answered.length > 0, 5_000, 'the answer');
    await bot.stop(1_000);
    await bus.close(1_000);
    expect(answered).toEqual(['reply:fake:2 hi']);
  });
});
