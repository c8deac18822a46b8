import { type Message, type Participant } from '@twilio/conversations';
import { ingressEnvelopeSchema } from '@bitbrat/envelope';
import fc from 'fast-check';
import { toNativeMessage } from '../platform/native-message.js';
import { propertyOf } from '../platform/property.js';
import { TwilioEnvelopeBuilder } from './twilio-envelope-builder.js';

const RECEIVED_AT = '2026-11-20T12:00:00.000Z';
const builder = new TwilioEnvelopeBuilder('internal.egress.v1.test');

const anyText = fc.string({ unit: 'binary' });
const anyValue = fc.oneof(anyText, fc.anything(), fc.constantFrom(null, undefined, '', NaN, Infinity, -1));
const authors = fc.oneof(
  anyValue,
  fc.constantFrom(
    '+15550100',
    'whatsapp:+15550100',
    'whatsapp:US.13491208655302741918',
    'rcs:+15550100',
    'system',
  ),
);
const media = fc.record(
  { sid: anyValue, contentType: anyValue, filename: anyValue, size: anyValue },
  { requiredKeys: [] },
);
const messages = fc.record({
  sid: fc.oneof(fc.constant(`IM${'0'.repeat(32)}`), anyValue),
  index: fc.oneof(fc.nat(), anyValue),
  author: authors,
  body: fc.oneof(anyText, anyValue),
  dateCreated: fc.oneof(fc.date({ noInvalidDate: false }), anyValue),
  conversation: fc.record({
    sid: fc.oneof(fc.constant(`CH${'0'.repeat(32)}`), anyValue),
    friendlyName: anyValue,
  }),
  participantSid: anyValue,
  attachedMedia: fc.oneof(fc.array(fc.oneof(media, anyValue)), anyValue),
});
const participants = fc.option(
  fc.record({
    sid: anyValue,
    type: fc.oneof(fc.constantFrom('sms', 'chat', '__proto__'), anyValue),
    bindings: anyValue,
  }),
  { nil: undefined },
);

it('makes a valid envelope of whatever the SDK may show, and loses no text', () => {
  fc.assert(
    fc.property(messages, participants, anyText, (shown, who, url) => {
      const message = shown as unknown as Message; // the platform decides what it is
      const participant = who as unknown as Participant | undefined; // the same
      const list: readonly unknown[] = Array.isArray(shown.attachedMedia) ? shown.attachedMedia : [];
      const urls = new Map(list.map((item) => [textOf(propertyOf(item, 'sid')), url]));
      const sids = [shown.sid, shown.conversation.sid];
      if (!sids.every((sid) => typeof sid === 'string' && sid !== '' && sid.length <= 64)) {
        expect(() => toNativeMessage(message, participant, urls)).toThrow('SID');
        return;
      }
      const native = toNativeMessage(message, participant, urls);
      const envelope = JSON.parse(JSON.stringify(builder.build(native, RECEIVED_AT))) as unknown; // as it travels
      expect(ingressEnvelopeSchema.safeParse(envelope).error).toBeUndefined();
      if (typeof shown.body === 'string') expect(envelope).toMatchObject({ text: shown.body });
      expect(() => builder.buildConsent(native, RECEIVED_AT)).not.toThrow();
    }),
    { numRuns: 500 },
  );
});

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
