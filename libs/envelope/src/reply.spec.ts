import { egressEventSchema } from './egress-event.js';
import { correlationIdOf } from './identifiers.js';
import { type IngressEnvelope, ingressEnvelopeSchema } from './ingress-envelope.js';
import { createReply } from './reply.js';

const envelope: IngressEnvelope = ingressEnvelopeSchema.parse({
  v: '1',
  id: 'discord:42',
  type: 'chat.message.v1',
  source: 'discord',
  from: '7',
  sender: { id: '7', displayName: 'Ada', roles: [], isBot: false },
  channel: { id: '99', kind: 'channel' },
  text: 'ping',
  attachments: [],
  occurredAt: '2026-03-01T12:00:00Z',
  receivedAt: '2026-03-01T12:00:01Z',
  correlationId: correlationIdOf('discord:42'),
  replyTo: { topic: 'internal.egress.v1.i1', connector: 'discord', destination: '99', inReplyTo: '42' },
  metadata: { guildId: '1' },
});

describe('createReply', () => {
  it('copies where the answer goes and what it belongs to', () => {
    expect(createReply(envelope, 'pong')).toEqual({
      v: '1',
      id: 'reply:discord:42',
      type: 'chat.send.v1',
      target: { connector: 'discord', destination: '99' },
      text: 'pong',
      attachments: [],
      inReplyTo: '42',
      correlationId: envelope.correlationId,
      metadata: {},
    });
  });

  it('has one idempotency key however often the envelope is delivered, unless given another', () => {
    expect(createReply(structuredClone(envelope), 'again').id).toBe(createReply(envelope, 'pong').id);
    expect(createReply(envelope, 'second', { id: 'own' }).id).toBe('own');
  });

  it.each([
    [{ quote: false }, undefined],
    [{ quote: true }, '42'],
    [{}, '42'],
  ])('%j quotes %j', (options, expected) => {
    expect(createReply(envelope, 'pong', options).inReplyTo).toBe(expected);
  });

  it('has nothing to quote where the envelope names nothing', () => {
    const { inReplyTo: _inReplyTo, ...replyTo } = envelope.replyTo;
    expect('inReplyTo' in createReply({ ...envelope, replyTo }, 'pong')).toBe(false);
  });

  it('takes attachments, an expiry and metadata', () => {
    const options = {
      attachments: [{ url: 'https://media.example/1' }],
      expiresAt: '2026-03-01T13:00:00Z',
      metadata: { mood: 'good' },
    };
    expect(createReply(envelope, '', options)).toMatchObject(options);
  });

  it('is a valid event even for the longest envelope id', () => {
    const longest = ingressEnvelopeSchema.parse({ ...envelope, id: `discord:${'4'.repeat(242)}` });
    expect(egressEventSchema.safeParse(createReply(longest, 'pong')).success).toBe(true);
  });
});
