import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { correlationIdOf, ingressEnvelopeSchema } from '@bitbrat/envelope';
import { type NativeMessage } from '../platform/native-message.js';
import { type NativeOptOut } from '../platform/native-opt-out.js';
import { TwilioEnvelopeBuilder } from './twilio-envelope-builder.js';

interface Fixture {
  readonly name: string;
  readonly native: NativeMessage;
  readonly expected: {
    readonly from: string;
    readonly text: string;
    readonly channelName?: string;
    readonly occurredAt?: string;
    readonly attachments?: readonly unknown[];
    readonly metadata: Readonly<Record<string, unknown>>;
  };
}

const file = join(process.cwd(), 'src/fixtures/messages.json');
const fixtures = JSON.parse(readFileSync(file, 'utf8')) as Fixture[]; // our own file, and each result is compared
const receivedAt = '2026-11-20T08:00:00.000Z';
const builder = new TwilioEnvelopeBuilder('internal.egress.v1.test');

describe('TwilioEnvelopeBuilder', () => {
  it.each(fixtures)('maps: $name', ({ native, expected }) => {
    const envelope = builder.build(native, receivedAt);
    expect(ingressEnvelopeSchema.parse(JSON.parse(JSON.stringify(envelope)))).toEqual(envelope);
    expect(envelope).toMatchObject({
      v: '1',
      id: `twilio:${native.sid}`,
      type: 'chat.message.v1',
      source: 'twilio',
      from: expected.from,
      sender: { id: expected.from, displayName: expected.from, isBot: false },
      channel: { id: native.conversationSid, kind: 'conversation' },
      text: expected.text,
      attachments: expected.attachments ?? [],
      occurredAt: expected.occurredAt ?? native.dateCreated,
      receivedAt,
      replyTo: {
        topic: 'internal.egress.v1.test',
        connector: 'twilio',
        destination: native.conversationSid,
        inReplyTo: native.sid,
      },
    });
    expect(envelope.channel.name).toBe(expected.channelName);
    expect(envelope.metadata).toEqual(expected.metadata);
  });

  it.each([
    ['+15550100', ' stop\n', 'out', 'STOP'],
    ['whatsapp:+15550100', 'Start', 'in', 'START'],
    ['+15550100', 'INFO', 'help', 'INFO'],
  ])('makes a consent event beside the message: %s writes %j', (author, body, consent, keyword) => {
    const [fixture] = fixtures;
    if (fixture === undefined) throw new Error('no fixture');
    const native = { ...fixture.native, author, body };
    const message = builder.build(native, receivedAt);
    expect(message).toMatchObject({ type: 'chat.message.v1', text: body, metadata: { consent } });
    const event = builder.buildConsent(native, receivedAt);
    const id = `${message.id}:consent`;
    expect(event).toEqual({
      ...message,
      id,
      type: 'contact.consent.v1',
      text: '',
      attachments: [],
      correlationId: correlationIdOf(id),
      metadata: { ...message.metadata, consent, keyword },
    });
    expect(ingressEnvelopeSchema.safeParse(event).success).toBe(true);
  });

  describe('of an opt-out that the platform tells', () => {
    const optOut: NativeOptOut = {
      phone: { address: 'whatsapp:+15550100', participantSid: 'MB1', proxyAddress: 'whatsapp:+15550199' },
      conversationSid: 'CH1',
      conversationName: 'Ann',
      refused: { messageSid: 'IM1' },
      occurredAt: '2026-11-20T07:59:00.000Z',
    };

    it('makes an event like that of a word, without a keyword', () => {
      const event = builder.buildOptOut(optOut, receivedAt);
      expect(event).toEqual({
        v: '1',
        id: 'twilio:IM1:consent:MB1',
        type: 'contact.consent.v1',
        source: 'twilio',
        from: '+15550100',
        sender: { id: '+15550100', displayName: '+15550100', roles: [], isBot: false },
        channel: { id: 'CH1', kind: 'conversation', name: 'Ann' },
        text: '',
        attachments: [],
        occurredAt: '2026-11-20T07:59:00.000Z',
        receivedAt,
        correlationId: correlationIdOf('twilio:IM1:consent:MB1'),
        replyTo: { topic: 'internal.egress.v1.test', connector: 'twilio', destination: 'CH1' },
        metadata: {
          conversationSid: 'CH1',
          messageSid: 'IM1',
          channelType: 'whatsapp',
          participantSid: 'MB1',
          proxyAddress: 'whatsapp:+15550199',
          consent: 'out',
          nativeCode: '21610',
        },
      });
      expect(ingressEnvelopeSchema.safeParse(event).success).toBe(true);
    });

    it('names the event that was refused by its id alone, however long that is', () => {
      const of = (eventId: string): ReturnType<TwilioEnvelopeBuilder['buildOptOut']> =>
        builder.buildOptOut({ ...optOut, conversationName: null, refused: { eventId } }, receivedAt);
      const [event, again, other] = [of('x'.repeat(256)), of('x'.repeat(256)), of('y')];
      expect(ingressEnvelopeSchema.safeParse(event).success).toBe(true);
      expect([again.id === event.id, other.id === event.id]).toEqual([true, false]);
      expect(event.metadata['messageSid']).toBeUndefined();
    });
  });

  it('makes none beside another message', () => {
    expect(fixtures.map(({ native }) => builder.buildConsent(native, receivedAt))).toEqual(
      fixtures.map(() => undefined),
    );
  });

  it('gives one message one correlation id', () => {
    const [fixture] = fixtures;
    if (fixture === undefined) throw new Error('no fixture');
    const ids = [receivedAt, '2026-11-21T00:00:00.000Z'].map(
      (at) => builder.build(fixture.native, at).correlationId,
    );
    expect(new Set(ids).size).toBe(1);
  });
});
